import { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';
import { IJobDetail } from '../server/types';
import { Fetched } from './fetched';
import { IJobTab, IJobTabs } from './jobtabs';
import { Lineage } from './lineage';
import { Logs } from './logs';
import { Overview } from './overview';
import { Script } from './script';

/** Add the tabs that this package has itself. */
export function addTabs(tabs: IJobTabs, trans: TranslationBundle): void {
  const isOurs = (job: IJobDetail) => !job.foreign;
  const built: Omit<IJobTab, 'rank'>[] = [
    {
      name: 'overview',
      label: trans.__('Overview'),
      render: props => <Overview {...props} />
    },
    {
      name: 'log',
      label: trans.__('Log'),
      render: props => <Logs {...props} />
    },
    {
      name: 'lineage',
      label: trans.__('Lineage'),
      isFor: isOurs,
      has: async ({ api, id }) => (await api.lineage(id)) !== null,
      render: props => <Lineage {...props} />
    },
    {
      name: 'script',
      label: trans.__('Script'),
      isFor: isOurs,
      render: props => <Script {...props} />
    },
    {
      name: 'record',
      label: trans.__('Record'),
      isFor: isOurs,
      render: ({ api, id, languages, job }) => (
        <Fetched
          {...{ trans, languages }}
          label={trans.__('Record')}
          language="json"
          when={job.state}
          get={async () => JSON.stringify(await api.record(id), null, 2)}
        />
      )
    }
  ];
  built.forEach((tab, i) => tabs.add({ ...tab, rank: 100 * (i + 1) }));
}

import { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';
import { isLive } from '../jobs/format';
import { LogName } from '../server/api';
import { IJobDetail } from '../server/types';
import { Details } from './details';
import { Fetched } from './fetched';
import { IJobTab, IJobTabProps, IJobTabs } from './jobtabs';
import { Lineage } from './lineage';
import { LogView } from './logview';
import { Resources } from './resources';

/** Add the tabs that this package has itself. */
export function addTabs(tabs: IJobTabs, trans: TranslationBundle): void {
  const isOurs = (job: IJobDetail) => !job.foreign;
  const log = (which: LogName) => (props: IJobTabProps) => (
    <LogView {...props} isLive={isLive(props.job)} which={which} />
  );
  const built: Omit<IJobTab, 'rank'>[] = [
    { name: 'log', label: trans.__('Log'), render: log('cell') },
    {
      name: 'details',
      label: trans.__('Details'),
      render: props => <Details {...props} />
    },
    {
      name: 'resources',
      label: trans.__('Resources'),
      isFor: isOurs,
      render: props => <Resources {...props} />
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
      render: ({ api, id }) => (
        <Fetched
          trans={trans}
          get={async () => {
            const found = await api.script(id);
            return `${found.command.join(' ')}\n\n${found.script}`;
          }}
        />
      )
    },
    {
      name: 'scheduler',
      label: trans.__('Scheduler'),
      isFor: isOurs,
      render: log('scheduler')
    },
    {
      name: 'record',
      label: trans.__('Record'),
      isFor: isOurs,
      render: ({ api, id }) => (
        <Fetched
          trans={trans}
          get={async () => JSON.stringify(await api.record(id), null, 2)}
        />
      )
    }
  ];
  built.forEach((tab, i) => tabs.add({ ...tab, rank: 100 * (i + 1) }));
}

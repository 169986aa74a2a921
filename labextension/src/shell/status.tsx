import { ReactWidget } from '@jupyterlab/apputils';
import { UseSignal } from '@jupyterlab/ui-components';
import { TranslationBundle } from '@jupyterlab/translation';
import { CommandRegistry } from '@lumino/commands';
import * as React from 'react';
import { CommandIDs } from '../jobs/commandids';
import { IHPCJobs } from '../jobs/tokens';

/** Counts of running and waiting jobs in the status bar; nothing while there are none. */
export function statusItem(
  model: IHPCJobs,
  commands: CommandRegistry,
  trans: TranslationBundle
): ReactWidget {
  return ReactWidget.create(
    <UseSignal signal={model.changed} initialSender={model}>
      {() => {
        const { running, waiting } = model.page.counts;
        if (!running && !waiting) {
          return null;
        }
        const text = trans.__('%1 running, %2 waiting', running, waiting);
        return (
          <button
            className="jp-HPC-status"
            title={trans.__('Cluster jobs: %1', text)}
            aria-label={trans.__('Cluster jobs: %1', text)}
            onClick={() => void commands.execute(CommandIDs.show)}
          >
            ▶ {running} ◷ {waiting}
          </button>
        );
      }}
    </UseSignal>
  );
}

import { ReactWidget } from '@jupyterlab/apputils';
import { UseSignal } from '@jupyterlab/ui-components';
import { TranslationBundle } from '@jupyterlab/translation';
import { CommandRegistry } from '@lumino/commands';
import * as React from 'react';
import { CommandIDs } from '../jobs/commandids';
import { IHPCJobs } from '../jobs/tokens';

/** How many jobs of ours run and wait, in the status bar; nothing while there are none. */
export function statusItem(
  model: IHPCJobs,
  commands: CommandRegistry,
  trans: TranslationBundle
): ReactWidget {
  return ReactWidget.create(
    <UseSignal signal={model.changed} initialSender={model}>
      {() => {
        const { running, waiting } = model.page.counts.ours;
        const text = [
          running ? trans.__('%1 running', running) : '',
          waiting ? trans.__('%1 waiting', waiting) : ''
        ]
          .filter(each => each)
          .join(' · ');
        if (!text) {
          return null;
        }
        return (
          <button
            className="jp-HPC-status"
            title={trans.__('Cluster jobs: %1', text)}
            aria-label={trans.__('Cluster jobs: %1', text)}
            onClick={() => void commands.execute(CommandIDs.show)}
          >
            {text}
          </button>
        );
      }}
    </UseSignal>
  );
}

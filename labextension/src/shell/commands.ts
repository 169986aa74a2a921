import { JupyterFrontEnd } from '@jupyterlab/application';
import {
  Clipboard,
  Dialog,
  ICommandPalette,
  Notification,
  showDialog
} from '@jupyterlab/apputils';
import { IEditorLanguageRegistry } from '@jupyterlab/codemirror';
import { INotebookTracker, NotebookActions } from '@jupyterlab/notebook';
import { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { IRenderMime } from '@jupyterlab/rendermime-interfaces';
import { TranslationBundle } from '@jupyterlab/translation';
import { HPCError } from '../server/api';
import { CommandIDs } from '../jobs/commandids';
import { IJobTabs } from '../job/jobtabs';
import { insertCell } from './insertcell';
import { addPageCommands } from './pagecommands';
import { JobPages } from '../job/pages';
import { JobPage, JobTracker } from '../job/widget';
import { jobIdAt } from '../sidebar/row';
import { cancelJobs } from '../parts/cancel';
import { IHPCJobs } from '../jobs/tokens';
import { askResubmission } from './resubmit';

export interface ICommandContext {
  app: JupyterFrontEnd;
  model: IHPCJobs;
  tabs: IJobTabs;
  sanitizer: IRenderMime.ISanitizer;
  trans: TranslationBundle;
  rendermime: IRenderMimeRegistry | null;
  languages: IEditorLanguageRegistry | null;
  notebooks: INotebookTracker | null;
  palette: ICommandPalette | null;
  /** The views of jobs that are open. */
  jobs: JobTracker;
}

const ID_SCHEMA = {
  type: 'object' as const,
  properties: {
    id: { type: 'string' as const, description: 'The run id' },
    preview: {
      type: 'boolean' as const,
      description: 'Whether the next job that is opened may take its place'
    },
    ofView: {
      type: 'boolean' as const,
      description: 'Whether the job is the one whose view is current'
    }
  }
};
const SOURCE_SCHEMA = {
  type: 'object' as const,
  properties: {
    source: { type: 'string' as const, description: 'What the cell holds' }
  }
};

/** Register every action; palette, context menu and buttons share them. */
export function addCommands(context: ICommandContext): void {
  const { app, model, trans, notebooks, palette, jobs } = context;
  const { commands } = app;
  const { api } = model;
  const pages = new JobPages(
    app.shell,
    jobs,
    id => new JobPage({ ...context, id, api, commands })
  );
  const idOf = (args: { [key: string]: unknown }): string => {
    if (typeof args.id === 'string') {
      return args.id;
    }
    if (args.ofView) {
      return jobs.currentWidget?.isVisible ? jobs.currentWidget.jobId : '';
    }
    const node = app.contextMenuHitTest(node => jobIdAt(node) !== undefined);
    return (node && jobIdAt(node)) || '';
  };
  const say = (error: unknown) => {
    const known = error instanceof HPCError;
    const hint = known && error.hint ? ` ${error.hint}` : '';
    Notification.error(`${(error as Error).message}${hint}`, {
      autoClose: 8000
    });
  };
  const add = (
    command: string,
    label: string,
    act: (
      id: string,
      args: { preview?: unknown; stays?: unknown }
    ) => unknown | Promise<unknown>
  ) =>
    commands.addCommand(command, {
      label,
      describedBy: { args: ID_SCHEMA },
      isEnabled: args => !args.ofView || idOf(args) !== '',
      execute: async args => {
        const id = idOf(args);
        if (!id) {
          return;
        }
        try {
          return await act(id, args);
        } catch (error) {
          say(error);
        } finally {
          void model.refresh();
        }
      }
    });

  commands.addCommand(CommandIDs.show, {
    label: trans.__('Show Cluster Jobs'),
    caption: trans.__('Jobs on Slurm, Kubernetes and this machine'),
    describedBy: { args: { type: 'object', properties: {} } },
    execute: () => app.shell.activateById('jupyter-hpc-sidebar')
  });
  commands.addCommand(CommandIDs.refresh, {
    label: trans.__('Refresh Cluster Jobs'),
    describedBy: { args: { type: 'object', properties: {} } },
    execute: () => model.refresh()
  });
  add(CommandIDs.open, trans.__('Open Job'), (id, { preview }) =>
    pages.open(id, preview === true)
  );
  add(CommandIDs.cancel, trans.__('Cancel Job'), id =>
    cancelJobs(api, trans, [id])
  );
  add(CommandIDs.hold, trans.__('Hold Job'), id => api.act(id, 'hold'));
  add(CommandIDs.release, trans.__('Release Job'), id =>
    api.act(id, 'release')
  );
  add(CommandIDs.requeue, trans.__('Requeue Job'), id =>
    api.act(id, 'requeue')
  );
  add(CommandIDs.resubmit, trans.__('Resubmit Job …'), async (id, args) => {
    const made = await askResubmission(api, id, trans);
    if (made && args.stays !== true) {
      await pages.open(made);
    }
    return made;
  });
  add(CommandIDs.forget, trans.__('Forget Job'), async id => {
    const answer = await showDialog({
      title: trans.__('Forget this job?'),
      body: trans.__('Its record, log and result are removed.'),
      buttons: [
        Dialog.cancelButton(),
        Dialog.warnButton({ label: trans.__('Forget') })
      ]
    });
    if (answer.button.accept) {
      await api.forget(id);
    }
  });
  add(CommandIDs.copyId, trans.__('Copy Job Id'), id =>
    // of a job that isn't ours, what the scheduler calls it
    Clipboard.copyToSystem(id.slice(id.indexOf('~') + 1))
  );
  add(CommandIDs.attach, trans.__('Attach in a Notebook Cell'), async id => {
    const source = `%hpc attach ${id}`;
    const panel = await insertCell(app, notebooks, trans, source);
    if (panel) {
      await NotebookActions.run(panel.content, panel.sessionContext);
    }
  });
  addPageCommands({ app, api, trans, notebooks, add });
  commands.addCommand(CommandIDs.insert, {
    label: trans.__('Insert a Cell with These Options'),
    describedBy: { args: SOURCE_SCHEMA },
    execute: async args => {
      if (typeof args.source === 'string') {
        const panel = await insertCell(app, notebooks, trans, args.source);
        if (panel) {
          panel.content.mode = 'edit';
        }
      }
    }
  });
  const category = trans.__('Cluster Jobs');
  for (const command of [CommandIDs.show, CommandIDs.refresh]) {
    palette?.addItem({ command, category });
  }
  for (const command of [
    CommandIDs.cancel,
    CommandIDs.resubmit,
    CommandIDs.rerun,
    CommandIDs.attach,
    CommandIDs.folder,
    CommandIDs.sbatch,
    CommandIDs.copyId,
    CommandIDs.forget
  ]) {
    palette?.addItem({ command, category, args: { ofView: true } });
  }
}

import { JupyterFrontEnd } from '@jupyterlab/application';
import { Clipboard, Notification } from '@jupyterlab/apputils';
import { INotebookTracker } from '@jupyterlab/notebook';
import { TranslationBundle } from '@jupyterlab/translation';
import { CommandIDs } from '../jobs/commandids';
import { HPCApi } from '../server/api';
import { insertCell } from './insertcell';

export interface IPageCommandContext {
  app: JupyterFrontEnd;
  api: HPCApi;
  trans: TranslationBundle;
  notebooks: INotebookTracker | null;
  /** Register a command on one job; what it throws is said. */
  add: (
    command: string,
    label: string,
    act: (id: string) => Promise<void>
  ) => void;
}

/** What the page of a job offers beside what can be done in its list: to go on with it as with any other text. */
export function addPageCommands(context: IPageCommandContext): void {
  const { app, api, trans, notebooks, add } = context;

  add(CommandIDs.rerun, trans.__('Rerun Job with Changes'), async id => {
    const [{ source, left_out }, { notebook }] = await Promise.all([
      api.cell(id),
      api.job(id)
    ]);
    const panel = await insertCell(
      app,
      near(notebooks, notebook),
      trans,
      source
    );
    if (!panel) {
      return;
    }
    panel.content.mode = 'edit';
    if (left_out.length) {
      Notification.warning(
        trans.__(
          'Its line has all but %1, whose values are kept nowhere.',
          left_out.join(', ')
        )
      );
    }
  });

  add(CommandIDs.folder, trans.__('Open Folder of Job'), async id => {
    const [{ folder }, { directory }] = await Promise.all([
      api.files(id),
      api.job(id)
    ]);
    try {
      if (folder === null) {
        throw new Error('It is elsewhere.');
      }
      // a server may keep folders to itself whose names begin with a dot
      await app.serviceManager.contents.get(folder, { content: false });
      await app.commands.execute('filebrowser:go-to-path', { path: folder });
    } catch {
      Clipboard.copyToSystem(directory);
      Notification.info(
        trans.__(
          'The file browser does not reach this folder; its path is copied: %1',
          directory
        )
      );
    }
  });

  add(CommandIDs.sbatch, trans.__('Copy Job as sbatch'), async id => {
    Clipboard.copyToSystem((await api.sbatch(id)).script);
    Notification.success(trans.__('The batch script is copied.'), {
      autoClose: 3000
    });
  });
}

/** The job's own notebook if it is open, else the one that somebody works in. */
export function near(
  notebooks: INotebookTracker | null,
  path: string
): Pick<INotebookTracker, 'currentWidget'> | null {
  const own = notebooks?.find(
    panel => !!path && `/${path}`.endsWith(`/${panel.context.path}`)
  );
  return own ? { currentWidget: own } : notebooks;
}

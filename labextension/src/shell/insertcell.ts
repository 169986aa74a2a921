import { JupyterFrontEnd } from '@jupyterlab/application';
import { Notification } from '@jupyterlab/apputils';
import {
  INotebookTracker,
  NotebookActions,
  NotebookPanel
} from '@jupyterlab/notebook';
import { TranslationBundle } from '@jupyterlab/translation';

const LOAD =
  'if "hpc" not in get_ipython().magics_manager.magics["line"]: ' +
  'get_ipython().run_line_magic("load_ext", "jupyter_hpc")';

/**
 * Put a cell below the current one of the current notebook, whose kernel then knows our magics.
 *
 * @returns The notebook; null, and a word about it, where none is open.
 */
export async function insertCell(
  app: JupyterFrontEnd,
  notebooks: Pick<INotebookTracker, 'currentWidget'> | null,
  trans: TranslationBundle,
  source: string
): Promise<NotebookPanel | null> {
  const panel = notebooks?.currentWidget;
  if (!panel) {
    Notification.info(
      trans.__('Open a notebook first; then: %1', source.trim())
    );
    return null;
  }
  app.shell.activateById(panel.id);
  // a kernel that was restarted doesn't have the magic; this leaves no trace in the notebook
  await panel.sessionContext.ready;
  panel.sessionContext.session?.kernel?.requestExecute({
    code: LOAD,
    silent: true,
    store_history: false
  });
  NotebookActions.insertBelow(panel.content);
  panel.content.activeCell?.model.sharedModel.setSource(source);
  return panel;
}

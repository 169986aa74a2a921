import { JupyterFrontEnd } from '@jupyterlab/application';
import { SplitPanel, TabPanel, Widget } from '@lumino/widgets';

const BELOW = 0.45; // of the height, for a page under the document

/** Add a page beside the documents; under the document where there is one at a time, as in Notebook 7. */
export function addToMain(
  shell: JupyterFrontEnd.IShell,
  page: Widget,
  place: Parameters<JupyterFrontEnd.IShell['add']>[2] = {}
): void {
  shell.add(page, 'main', place);
  if (!page.isAttached) {
    shell.add(page, 'down');
    showBelow(page);
  }
}

/** Show a page that stands in the panel under the document, which may be hidden. */
export function showBelow(page: Widget): void {
  const panel = page.parent?.parent;
  if (panel instanceof TabPanel) {
    const wasHidden = panel.isHidden;
    panel.show();
    panel.currentWidget = page;
    const split = panel.parent;
    if (wasHidden && split instanceof SplitPanel) {
      // it has no height of its own yet
      split.setRelativeSizes(
        split.widgets.map(each => (each === panel ? BELOW : 1 - BELOW))
      );
    }
  }
}

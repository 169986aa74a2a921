import { ILayoutRestorer, JupyterFrontEnd } from '@jupyterlab/application';
import { ICommandPalette, WidgetTracker } from '@jupyterlab/apputils';
import { TranslationBundle } from '@jupyterlab/translation';
import { CommandIDs } from '../jobs/commandids';
import { hpcIcon } from '../jobs/icons';
import { IHPCJobs } from '../jobs/tokens';
import { addToMain, showBelow } from '../parts/mainarea';
import { IChosenColumns } from '../table/table';
import { TABLE_ID, TableWidget } from '../table/widget';

/** Register the command that opens the table of jobs; it is there again after a reload. */
export function addTable(
  app: JupyterFrontEnd,
  model: IHPCJobs,
  trans: TranslationBundle,
  columns: () => IChosenColumns,
  palette: ICommandPalette | null,
  restorer: ILayoutRestorer | null
): void {
  const tracker = new WidgetTracker<TableWidget>({ namespace: TABLE_ID });
  const make = () => new TableWidget(model, app.commands, trans, columns());
  app.commands.addCommand(CommandIDs.table, {
    label: args =>
      args.isLauncher
        ? trans.__('Cluster Jobs')
        : trans.__('Table of Cluster Jobs'),
    caption: trans.__('All jobs: sort, filter, compare, tag, cancel'),
    icon: hpcIcon,
    describedBy: {
      args: {
        type: 'object',
        properties: {
          isLauncher: {
            type: 'boolean',
            description: 'Whether it stands among what can be opened'
          }
        }
      }
    },
    execute: async () => {
      const widget = tracker.currentWidget ?? make();
      if (tracker.has(widget)) {
        showBelow(widget);
      } else {
        addToMain(app.shell, widget);
        await tracker.add(widget);
      }
      app.shell.activateById(widget.id);
    }
  });
  palette?.addItem({
    command: CommandIDs.table,
    category: trans.__('Cluster Jobs')
  });
  void restorer?.restore(tracker, {
    command: CommandIDs.table,
    name: () => TABLE_ID
  });
}

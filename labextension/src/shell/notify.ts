import { Notification } from '@jupyterlab/apputils';
import { TranslationBundle } from '@jupyterlab/translation';
import { CommandRegistry } from '@lumino/commands';
import { CommandIDs } from '../jobs/commandids';
import { elapsed, words } from '../jobs/format';
import { IHPCJobs } from '../jobs/tokens';

/** Tell the end of each job that ran so many seconds at least; of none if that is negative. */
export function notify(
  model: IHPCJobs,
  commands: CommandRegistry,
  trans: TranslationBundle,
  least: () => number
): void {
  model.ended.connect((_, job) => {
    if (least() < 0 || (elapsed(job) ?? 0) < least()) {
      return;
    }
    const good = job.state === 'COMPLETED';
    const name = job.name || job.id;
    const text = trans.__('%1: %2', name, words(job.state, trans));
    Notification.emit(text, good ? 'success' : 'warning', {
      autoClose: 10000,
      actions: [
        {
          label: trans.__('Open'),
          callback: () => void commands.execute(CommandIDs.open, { id: job.id })
        }
      ]
    });
  });
}

import { IRunningSessions } from '@jupyterlab/running';
import { LabIcon } from '@jupyterlab/ui-components';
import { TranslationBundle } from '@jupyterlab/translation';
import { CommandRegistry } from '@lumino/commands';
import { HPCApi } from '../server/api';
import { CommandIDs } from '../jobs/commandids';
import { times, words } from '../jobs/format';
import { hpcIcon } from '../jobs/icons';
import { IHPCJobs } from '../jobs/tokens';
import { IJob } from '../server/types';

/** A section in *Running Terminals and Kernels*. */
export function runningManager(
  model: IHPCJobs,
  api: HPCApi,
  commands: CommandRegistry,
  trans: TranslationBundle
): IRunningSessions.IManager {
  return {
    name: trans.__('Cluster Jobs'),
    supportsMultipleViews: false,
    running: () =>
      model.live.map(job => new RunningJob(job, api, commands, trans)),
    shutdownAll: () => {
      for (const job of model.live) {
        void api.cancel(job.id).then(() => model.refresh());
      }
    },
    refreshRunning: () => void model.refresh(),
    runningChanged: model.changed,
    shutdownLabel: trans.__('Cancel'),
    shutdownAllLabel: trans.__('Cancel All'),
    shutdownAllConfirmationText: trans.__(
      'Cancel all jobs that wait or run? Their places in the queue are lost.'
    )
  };
}

class RunningJob implements IRunningSessions.IRunningItem {
  constructor(
    private _job: IJob,
    private _api: HPCApi,
    private _commands: CommandRegistry,
    private _trans: TranslationBundle
  ) {}

  open(): void {
    void this._commands.execute(CommandIDs.open, { id: this._job.id });
  }

  shutdown(): void {
    void this._api.cancel(this._job.id);
  }

  icon(): LabIcon {
    return hpcIcon;
  }

  label(): string {
    return this._job.name || this._job.id;
  }

  labelTitle(): string {
    return `${this._job.target} ${this._job.native_id}`;
  }

  detail(): string {
    return `${words(this._job.state, this._trans)} ${times(this._job, this._trans)}`;
  }
}

import {
  ILayoutRestorer,
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import {
  ICommandPalette,
  ISanitizer,
  Notification,
  Sanitizer,
  WidgetTracker
} from '@jupyterlab/apputils';
import { INotebookTracker } from '@jupyterlab/notebook';
import { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { IRunningSessionManagers } from '@jupyterlab/running';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { IStatusBar } from '@jupyterlab/statusbar';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { CommandIDs } from './jobs/commandids';
import { addCommands } from './shell/commands';
import { elapsed, words } from './jobs/format';
import { idOfView, JobTracker } from './job/jobview';
import { JobsModel } from './jobs/model';
import { JobOutput, MIME } from './output/renderer';
import { runningManager } from './shell/running';
import { HPCSidebar } from './sidebar/sidebar';
import { statusItem } from './shell/status';
import { IHPCJobs } from './jobs/tokens';

const DOMAIN = 'jupyter_hpc';

const jobs: JupyterFrontEndPlugin<IHPCJobs> = {
  id: 'jupyter-hpc:jobs',
  description: 'Keeps the list of cluster jobs.',
  autoStart: true,
  provides: IHPCJobs,
  activate: (app: JupyterFrontEnd): IHPCJobs =>
    JobsModel.create(app.serviceManager)
};

const commands: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-hpc:commands',
  description: 'Commands on cluster jobs, and the view of one job.',
  autoStart: true,
  requires: [IHPCJobs],
  optional: [
    ICommandPalette,
    INotebookTracker,
    ISanitizer,
    ITranslator,
    ILayoutRestorer
  ],
  activate: (
    app: JupyterFrontEnd,
    model: IHPCJobs,
    palette: ICommandPalette | null,
    notebooks: INotebookTracker | null,
    sanitizer: ISanitizer | null,
    translator: ITranslator | null,
    restorer: ILayoutRestorer | null
  ) => {
    const views: JobTracker = new WidgetTracker({ namespace: 'jupyter-hpc' });
    addCommands({
      jobs: views,
      app,
      model,
      palette,
      notebooks,
      sanitizer: sanitizer ?? new Sanitizer(),
      trans: (translator ?? nullTranslator).load(DOMAIN)
    });
    void restorer?.restore(views, {
      command: CommandIDs.open,
      args: view => ({ id: idOfView(view) }),
      name: idOfView
    });
  }
};

const sidebar: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-hpc:sidebar',
  description: 'The sidebar with the queue and what the clusters have.',
  autoStart: true,
  requires: [IHPCJobs],
  optional: [ILayoutRestorer, ISettingRegistry, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    model: IHPCJobs,
    restorer: ILayoutRestorer | null,
    settings: ISettingRegistry | null,
    translator: ITranslator | null
  ) => {
    const trans = (translator ?? nullTranslator).load(DOMAIN);
    const { api } = model;
    const widget = new HPCSidebar(model, api, app.commands, trans);
    app.shell.add(widget, 'left', { rank: 560 });
    restorer?.add(widget, 'jupyter-hpc-sidebar');
    let longest = 60;
    void settings?.load(sidebar.id).then(found => {
      const read = () => {
        longest = Number(found.get('notifyAfter').composite ?? 60);
      };
      read();
      found.changed.connect(read);
    });
    model.ended.connect((_, job) => {
      if (longest < 0 || (elapsed(job) ?? 0) < longest) {
        return;
      }
      const good = job.state === 'COMPLETED';
      const text = trans.__(
        '%1: %2',
        job.name || job.id,
        words(job.state, trans)
      );
      Notification.emit(text, good ? 'success' : 'warning', {
        autoClose: 10000,
        actions: [
          {
            label: trans.__('Open'),
            callback: () =>
              void app.commands.execute(CommandIDs.open, { id: job.id })
          }
        ]
      });
    });
  }
};

const running: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-hpc:running',
  description: 'Cluster jobs among the running terminals and kernels.',
  autoStart: true,
  requires: [IHPCJobs, IRunningSessionManagers],
  optional: [ITranslator],
  activate: (
    app: JupyterFrontEnd,
    model: IHPCJobs,
    managers: IRunningSessionManagers,
    translator: ITranslator | null
  ) => {
    const trans = (translator ?? nullTranslator).load(DOMAIN);
    const { api } = model;
    managers.add(runningManager(model, api, app.commands, trans));
  }
};

const status: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-hpc:status',
  description: 'Counts of cluster jobs in the status bar.',
  autoStart: true,
  requires: [IHPCJobs, IStatusBar],
  optional: [ITranslator],
  activate: (
    app: JupyterFrontEnd,
    model: IHPCJobs,
    bar: IStatusBar,
    translator: ITranslator | null
  ) => {
    const trans = (translator ?? nullTranslator).load(DOMAIN);
    bar.registerStatusItem('jupyter-hpc:status', {
      item: statusItem(model, app.commands, trans),
      align: 'left',
      rank: 50
    });
  }
};

const output: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-hpc:job-output',
  description:
    'Fills the output of a cell from the server while its job lives.',
  autoStart: true,
  requires: [IHPCJobs, IRenderMimeRegistry],
  optional: [ITranslator],
  activate: (
    app: JupyterFrontEnd,
    model: IHPCJobs,
    rendermime: IRenderMimeRegistry,
    translator: ITranslator | null
  ) => {
    const trans = (translator ?? nullTranslator).load(DOMAIN);
    const { api } = model;
    const { commands } = app;
    rendermime.addFactory(
      {
        safe: true,
        mimeTypes: [MIME],
        defaultRank: -10,
        createRenderer: options =>
          new JobOutput({ api, model, commands, rendermime, trans }, options)
      },
      -10
    );
  }
};

export { IHPCJobs } from './jobs/tokens';
const plugins: JupyterFrontEndPlugin<unknown>[] = [
  jobs,
  commands,
  sidebar,
  running,
  status,
  output
];
export default plugins;

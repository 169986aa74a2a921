import {
  ILayoutRestorer,
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import {
  ICommandPalette,
  ISanitizer,
  Sanitizer,
  WidgetTracker
} from '@jupyterlab/apputils';
import { IEditorLanguageRegistry } from '@jupyterlab/codemirror';
import { ILauncher } from '@jupyterlab/launcher';
import { INotebookTracker } from '@jupyterlab/notebook';
import { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { IRunningSessionManagers } from '@jupyterlab/running';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { IStatusBar } from '@jupyterlab/statusbar';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { addTabs } from './job/builtin';
import { IJobTabs, JobTabs } from './job/jobtabs';
import { JobTracker } from './job/widget';
import { CommandIDs } from './jobs/commandids';
import { JobsModel } from './jobs/model';
import { IHPCJobs } from './jobs/tokens';
import { MIME } from './output/finished';
import { JobOutput } from './output/renderer';
import { finishSaved } from './output/saved';
import { addCommands } from './shell/commands';
import { notify } from './shell/notify';
import { runningManager } from './shell/running';
import { statusItem } from './shell/status';
import { addTable } from './shell/table';
import { remember } from './sidebar/remembered';
import { HPCSidebar } from './sidebar/sidebar';

const DOMAIN = 'jupyter_hpc';

const jobs: JupyterFrontEndPlugin<IHPCJobs> = {
  id: 'jupyter-hpc:jobs',
  description: 'Keeps the list of cluster jobs.',
  autoStart: true,
  provides: IHPCJobs,
  activate: (app: JupyterFrontEnd): IHPCJobs =>
    JobsModel.create(app.serviceManager)
};

const jobTabs: JupyterFrontEndPlugin<IJobTabs> = {
  id: 'jupyter-hpc:job-tabs',
  description: 'Keeps the tabs in the view of a job.',
  autoStart: true,
  provides: IJobTabs,
  activate: (): IJobTabs => new JobTabs()
};

const builtInTabs: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-hpc:built-in-tabs',
  description: 'Overview, log, lineage, script and record of a job.',
  autoStart: true,
  requires: [IJobTabs],
  optional: [ITranslator],
  activate: (
    app: JupyterFrontEnd,
    tabs: IJobTabs,
    translator: ITranslator | null
  ) => addTabs(tabs, (translator ?? nullTranslator).load(DOMAIN))
};

const commands: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-hpc:commands',
  description: 'Commands on cluster jobs, and the view of one job.',
  autoStart: true,
  requires: [IHPCJobs, IJobTabs],
  optional: [
    ICommandPalette,
    INotebookTracker,
    ISanitizer,
    ITranslator,
    ILayoutRestorer,
    IRenderMimeRegistry,
    IEditorLanguageRegistry
  ],
  activate: (
    app: JupyterFrontEnd,
    model: IHPCJobs,
    tabs: IJobTabs,
    palette: ICommandPalette | null,
    notebooks: INotebookTracker | null,
    sanitizer: ISanitizer | null,
    translator: ITranslator | null,
    restorer: ILayoutRestorer | null,
    rendermime: IRenderMimeRegistry | null,
    languages: IEditorLanguageRegistry | null
  ) => {
    const views: JobTracker = new WidgetTracker({ namespace: 'jupyter-hpc' });
    addCommands({
      jobs: views,
      app,
      model,
      tabs,
      palette,
      notebooks,
      rendermime,
      languages,
      sanitizer: sanitizer ?? new Sanitizer(),
      trans: (translator ?? nullTranslator).load(DOMAIN)
    });
    void restorer?.restore(views, {
      command: CommandIDs.open,
      args: page => ({ id: page.jobId }),
      name: page => (page.isPreview ? '' : page.jobId) // what is only looked at isn't there the next time
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
    let least = 60;
    void settings?.load(sidebar.id).then(found => {
      const read = () => {
        least = Number(found.get('notifyAfter').composite ?? 60);
      };
      read();
      found.changed.connect(read);
      remember(model, found);
    });
    notify(model, app.commands, trans, () => least);
  }
};

const table: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-hpc:table',
  description: 'All cluster jobs as a table in the main area.',
  autoStart: true,
  requires: [IHPCJobs],
  optional: [
    ICommandPalette,
    ILayoutRestorer,
    ISettingRegistry,
    ITranslator,
    ILauncher
  ],
  activate: (
    app: JupyterFrontEnd,
    model: IHPCJobs,
    palette: ICommandPalette | null,
    restorer: ILayoutRestorer | null,
    settings: ISettingRegistry | null,
    translator: ITranslator | null,
    launcher: ILauncher | null
  ) => {
    const trans = (translator ?? nullTranslator).load(DOMAIN);
    let found: ISettingRegistry.ISettings | undefined;
    void settings?.load(sidebar.id).then(each => {
      found = each;
    });
    const columns = () => ({
      names: (found?.get('columns').composite ?? []) as string[],
      keep: (names: string[]) => void found?.set('columns', names)
    });
    addTable(app, model, trans, columns, palette, restorer);
    launcher?.add({
      command: CommandIDs.table,
      args: { isLauncher: true },
      category: trans.__('Other'),
      rank: 10
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

const savedOutputs: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-hpc:saved-outputs',
  description:
    'Writes how a job ended into notebooks that were closed meanwhile.',
  autoStart: true,
  requires: [IHPCJobs, INotebookTracker],
  activate: (
    app: JupyterFrontEnd,
    model: IHPCJobs,
    notebooks: INotebookTracker
  ) => finishSaved(model, notebooks)
};

export { IHPCJobs, IJobTabs };
export type { IJobTab, IJobTabProps } from './job/jobtabs';
const plugins: JupyterFrontEndPlugin<unknown>[] = [
  jobs,
  jobTabs,
  builtInTabs,
  commands,
  sidebar,
  table,
  running,
  status,
  output,
  savedOutputs
];
export default plugins;

import { ReactWidget } from '@jupyterlab/apputils';
import { TranslationBundle } from '@jupyterlab/translation';
import { CommandRegistry } from '@lumino/commands';
import { Message } from '@lumino/messaging';
import * as React from 'react';
import { HPCApi } from '../server/api';
import { Cluster } from './cluster';
import { CommandIDs } from '../jobs/commandids';
import { hpcIcon } from '../jobs/icons';
import { Queue } from './queue';
import { pageId, tabId, Tabs } from '../parts/tabs';
import { IHPCJobs } from '../jobs/tokens';

/** The sidebar: the queue, and what the clusters have. */
export class HPCSidebar extends ReactWidget {
  constructor(
    private _model: IHPCJobs,
    private _api: HPCApi,
    private _commands: CommandRegistry,
    private _trans: TranslationBundle
  ) {
    super();
    this.id = 'jupyter-hpc-sidebar';
    this.addClass('jp-HPCSidebar');
    this.title.icon = hpcIcon;
    this.title.caption = this._trans.__('Cluster jobs');
    this.node.setAttribute('role', 'region');
    this.node.setAttribute('aria-label', this._trans.__('Cluster jobs'));
  }

  protected render(): React.ReactElement {
    return (
      <Sidebar
        model={this._model}
        api={this._api}
        commands={this._commands}
        trans={this._trans}
      />
    );
  }

  protected onAfterShow(msg: Message): void {
    super.onAfterShow(msg);
    this._model.watch(true);
  }

  protected onAfterHide(msg: Message): void {
    super.onAfterHide(msg);
    this._model.watch(false);
  }
}

function Sidebar(props: {
  model: IHPCJobs;
  api: HPCApi;
  commands: CommandRegistry;
  trans: TranslationBundle;
}): React.ReactElement {
  const { trans } = props;
  const [tab, setTab] = React.useState<'queue' | 'clusters'>('queue');
  return (
    <>
      <div className="jp-HPCSidebar-head">
        <Tabs
          label={trans.__('Cluster jobs')}
          prefix="jp-hpc"
          tabs={[
            ['queue', trans.__('Queue')],
            ['clusters', trans.__('Clusters')]
          ]}
          current={tab}
          onChange={setTab}
        />
        <button
          className="jp-HPC-chip"
          title={trans.__('All jobs as a table: sort, compare, tag')}
          onClick={() => void props.commands.execute(CommandIDs.table)}
        >
          {trans.__('Table')}
        </button>
      </div>
      <div
        className="jp-HPCSidebar-page"
        id={pageId('jp-hpc')}
        role="tabpanel"
        aria-labelledby={tabId('jp-hpc', tab)}
      >
        {tab === 'queue' ? <Queue {...props} /> : <Cluster {...props} />}
      </div>
    </>
  );
}

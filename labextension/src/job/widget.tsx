import {
  MainAreaWidget,
  ReactWidget,
  WidgetTracker
} from '@jupyterlab/apputils';
import { ISignal, Signal } from '@lumino/signaling';
import * as React from 'react';
import { hpcIcon } from '../jobs/icons';
import { IJobTabs } from './jobtabs';
import { IPageMemory, JobView } from './jobview';
import { IJobProps } from './usejob';

const ID = 'jupyter-hpc-';

export type JobTracker = WidgetTracker<JobPage>;

/** A job in the main area. */
export class JobPage extends MainAreaWidget<ReactWidget> {
  constructor(props: IJobProps & { tabs: IJobTabs }) {
    // what was chosen is kept here: React forgets it when the page is taken out of the window to be put elsewhere
    const memory: IPageMemory = { tab: '' };
    let hear = (_: string) => undefined as void;
    const named = (name: string) => hear(name);
    const shown = <JobView {...props} {...{ named, memory }} />;
    super({ content: ReactWidget.create(shown) });
    hear = name => {
      this._jobName = name;
      this._named.emit();
    };
    this.content.addClass('jp-HPCJob');
    this.toolbar.hide(); // its buttons stand in the page
    this.jobId = props.id;
    this.id = `${ID}${props.id}`;
    this.title.icon = hpcIcon;
    this.title.closable = true;
  }

  readonly jobId: string;

  /** Whether the next page takes its place. */
  isPreview = false;

  /** The job's name; empty until it is known. */
  get jobName(): string {
    return this._jobName;
  }

  /** Emitted when the name is known. */
  get named(): ISignal<this, void> {
    return this._named;
  }

  private _jobName = '';
  private _named = new Signal<this, void>(this);
}

import { Token } from '@lumino/coreutils';
import { DisposableDelegate, IDisposable } from '@lumino/disposable';
import { ISignal, Signal } from '@lumino/signaling';
import * as React from 'react';
import { IJobDetail } from '../server/types';
import { IJobProps } from './usejob';

/** What a tab is given to show: the job as it is now, and ways to ask for more. */
export interface IJobTabProps extends IJobProps {
  job: IJobDetail;
  /** Whether the tab is the one that is seen; one that was left stays as it was, and may rest. */
  isShown?: boolean;
  /** Show another tab of the page. */
  choose?: (tab: string) => void;
}

/** A tab in the view of a job. */
export interface IJobTab {
  /** No other tab has it; a part of its element's id. */
  readonly name: string;
  readonly label: string;
  /** Tabs stand by rank: `overview` has 100, `log` 200, and so on to `record`. */
  readonly rank: number;
  /** Whether such a job can have the tab; all can if this isn't given. */
  isFor?(job: IJobDetail): boolean;
  /** Ask whether there is anything to show: once when the view opens, once more when the job has ended. */
  has?(props: IJobTabProps): Promise<boolean>;
  /** Show it; hooks may be used. */
  render(props: IJobTabProps): React.ReactElement;
}

/** The tabs that a view of a job has. */
export interface IJobTabs {
  /** Emitted when one came or went; open views follow. */
  readonly changed: ISignal<IJobTabs, void>;
  /** By rank, and as they came; the same array until one comes or goes. */
  readonly all: readonly IJobTab[];
  /**
   * Add a tab.
   *
   * @returns What takes it away.
   */
  add(tab: IJobTab): IDisposable;
}

export const IJobTabs = new Token<IJobTabs>(
  'jupyter-hpc:IJobTabs',
  'The tabs in the view of a cluster job; add one to show something of your own.'
);

export class JobTabs implements IJobTabs {
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  get all(): readonly IJobTab[] {
    return this._all;
  }

  add(tab: IJobTab): IDisposable {
    if (this._all.some(each => each.name === tab.name)) {
      throw new Error(`There is a tab ${tab.name} already.`);
    }
    this._set([...this._all, tab].sort((a, b) => a.rank - b.rank));
    return new DisposableDelegate(() =>
      this._set(this._all.filter(each => each !== tab))
    );
  }

  private _set(tabs: readonly IJobTab[]): void {
    this._all = tabs;
    this._changed.emit();
  }

  private _all: readonly IJobTab[] = [];
  private _changed = new Signal<this, void>(this);
}

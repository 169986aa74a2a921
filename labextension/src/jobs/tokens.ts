import { Token } from '@lumino/coreutils';
import { IObservableDisposable } from '@lumino/disposable';
import { ISignal } from '@lumino/signaling';
import type { HPCApi, IQuery } from '../server/api';
import { IJob, IPage, IRow } from '../server/types';

/** Jobs of the user, as the server knows them. */
export interface IHPCJobs extends IObservableDisposable {
  /** Emitted when anything that a view shows has changed. */
  readonly changed: ISignal<IHPCJobs, void>;
  /** Emitted with a job that has ended since the last look. */
  readonly ended: ISignal<IHPCJobs, IJob>;
  /** The routes, for views that ask for more. */
  readonly api: HPCApi;
  readonly state: 'loading' | 'ready' | 'unavailable';
  readonly problem: string;
  readonly page: IPage;
  readonly live: IJob[];
  query: IQuery;
  row(index: number): IRow | undefined;
  setWindow(first: number, last: number): void;
  refresh(): Promise<void>;
  watch(isWatched: boolean): void;
}

export const IHPCJobs = new Token<IHPCJobs>(
  'jupyter-hpc:IHPCJobs',
  'The jobs of the user on Slurm, Kubernetes and this machine.'
);

import { Event, ServiceManager } from '@jupyterlab/services';
import { Poll } from '@lumino/polling';
import { ISignal, Signal } from '@lumino/signaling';
import { HPCApi, HPCError, IQuery } from '../server/api';
import { IJob, IPage, IRow } from '../server/types';
import { isLive } from './format';
import { ahead, holds, kept, PAGE, pagesOf, Span } from './paging';
import { IHPCJobs } from './tokens';

const CHANGED = 'https://jupyter-hpc.readthedocs.io/events/changed/v1';
const SELDOM_MS = 120_000; // between looks that nobody asked for, of a page that shows no jobs
const EMPTY: IPage = {
  jobs: [],
  total: 0,
  counts: {
    running: 0,
    waiting: 0,
    ended: 0,
    ours: { running: 0, waiting: 0 }
  },
  targets: [],
  notebooks: []
};
const ALL: IQuery = {
  group: '',
  target: '',
  notebook: '',
  text: '',
  by: '',
  sort: '',
  unfolded: ''
};

/** Keeps the rows that a view shows; asks for no others. */
export class JobsModel implements IHPCJobs {
  constructor(
    readonly api: HPCApi,
    events: Event.IManager | undefined
  ) {
    this._events = events;
    events?.stream.connect(this._onEvent, this);
    this._poll = new Poll({
      auto: false,
      name: 'jupyter-hpc:jobs',
      factory: () => this._fetch(),
      frequency: { interval: 5000, backoff: true, max: 60000 },
      standby: () => this._standby()
    });
    void this._poll.start();
  }

  static create(services: ServiceManager.IManager): JobsModel {
    return new JobsModel(new HPCApi(services.serverSettings), services.events);
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  get ended(): ISignal<this, IJob> {
    return this._ended;
  }

  get disposed(): ISignal<this, void> {
    return this._disposed;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  get state(): 'loading' | 'ready' | 'unavailable' {
    return this._state;
  }

  get problem(): string {
    return this._problem;
  }

  get page(): IPage {
    return this._page;
  }

  /** Jobs of ours that wait or run, whatever is listed. */
  get live(): IJob[] {
    return this._live;
  }

  get query(): IQuery {
    return this._query;
  }

  set query(query: IQuery) {
    this._query = query;
    this._rows.clear();
    this._seen = this._window = [0, PAGE];
    this._fresh = [0, 0];
    // at once: a refresh that is on its way would swallow another, and asks for what nobody wants now
    void this._poll.schedule({ interval: Poll.IMMEDIATE, phase: 'refreshed' });
  }

  /** The row at an index, or undefined while it is not here. */
  row(index: number): IRow | undefined {
    return this._rows.get(index);
  }

  /** Say which rows are seen: they are fetched, and kept up to date. */
  setWindow(first: number, last: number): void {
    this._window = ahead(this._seen, [first, last]);
    this._seen = [first, last];
    if (!this._isHere()) {
      void this._fill();
    }
  }

  async refresh(): Promise<void> {
    this._isDue = true;
    await this._poll.refresh();
    await this._poll.tick;
  }

  /** A hidden view needs no rows; the counts of live jobs go on, seldom. */
  watch(isWatched: boolean): void {
    this._watchers += isWatched ? 1 : -1;
    if (isWatched) {
      void this.refresh();
    }
  }

  dispose(): void {
    if (this._isDisposed) {
      return;
    }
    this._isDisposed = true;
    this._events?.stream.disconnect(this._onEvent, this);
    this._poll.dispose();
    this._disposed.emit();
    Signal.clearData(this);
  }

  private _standby(): boolean {
    if (this._state === 'unavailable') {
      return true;
    }
    if (document.hidden) {
      return this._state === 'ready';
    }
    const isSeen = this._watchers > 0 || this._live.length > 0;
    const isDue = this._isDue || Date.now() - this._askedAt >= SELDOM_MS;
    return !isSeen && !isDue && this._state === 'ready';
  }

  private _onEvent(_: Event.IManager, event: Event.Emission): void {
    if (event.schema_id === CHANGED) {
      void this.refresh();
    }
  }

  /** Fetch the rows that are seen; while they are on their way, others may come to be seen. */
  private async _fill(): Promise<void> {
    if (this._isFilling || this._state === 'unavailable') {
      return;
    }
    this._isFilling = true;
    try {
      let asked: Span | undefined;
      while (asked !== this._window && !this._isHere() && !this._isDisposed) {
        asked = this._window;
        await this._fetchPage();
        this._changed.emit();
      }
    } catch {
      // the poll asks again, and says what is wrong
    } finally {
      this._isFilling = false;
    }
  }

  private _isHere(): boolean {
    return holds(this._fresh, this._window, this._page.total);
  }

  private async _fetchPage(): Promise<IPage> {
    const query = this._query;
    const [start, count] = pagesOf(this._window);
    const page = await this.api.jobs(query, start, count);
    if (query !== this._query) {
      return page; // another question was asked meanwhile
    }
    if (page.total !== this._page.total) {
      this._rows.clear();
    }
    page.jobs.forEach((row, i) =>
      this._rows.set(start + i, kept(this._rows.get(start + i), row))
    );
    this._fresh = [start, start + page.jobs.length];
    this._page = page;
    return page;
  }

  private async _fetch(): Promise<void> {
    this._isDue = false;
    this._askedAt = Date.now();
    try {
      await this._fetchLive(await this._fetchPage());
      this._state = 'ready';
      this._problem = '';
    } catch (error) {
      const gone = error instanceof HPCError && error.status === 404;
      this._state = gone ? 'unavailable' : this._state;
      this._problem = String((error as Error).message ?? error);
      this._changed.emit();
      if (gone) {
        return;
      }
      throw error; // the poll backs off
    }
    this._changed.emit();
  }

  private async _fetchLive(page: IPage): Promise<void> {
    const before = this._live;
    const live = page.counts.running + page.counts.waiting;
    const groups: IQuery['group'][] = live ? ['running', 'waiting'] : [];
    const found: IJob[] = [];
    for (const group of groups) {
      const part = await this.api.jobs({ ...ALL, group }, 0, PAGE);
      found.push(...(part.jobs as IJob[]));
    }
    this._live = found.filter(job => !job.foreign);
    const still = new Set(found.map(job => job.id));
    for (const job of before.filter(each => !still.has(each.id))) {
      try {
        const now = await this.api.job(job.id);
        if (!isLive(now)) {
          this._ended.emit(now);
        }
      } catch {
        // forgotten meanwhile
      }
    }
  }

  private _events: Event.IManager | undefined;
  private _poll: Poll;
  private _rows = new Map<number, IRow>();
  private _page = EMPTY;
  private _live: IJob[] = [];
  private _query = ALL;
  private _seen: Span = [0, PAGE];
  private _window: Span = [0, PAGE]; // what is seen, and what comes next
  private _fresh: Span = [0, 0]; // rows as they were at the last answer
  private _isFilling = false;
  private _watchers = 0;
  private _isDue = false; // somebody asked, or something changed
  private _askedAt = 0;
  private _state: 'loading' | 'ready' | 'unavailable' = 'loading';
  private _problem = '';
  private _isDisposed = false;
  private _changed = new Signal<this, void>(this);
  private _ended = new Signal<this, IJob>(this);
  private _disposed = new Signal<this, void>(this);
}

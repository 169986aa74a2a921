import { ISignal, Signal } from '@lumino/signaling';
import { IHPCJobs } from '../jobs/tokens';
import { HPCApi, ITableQuery } from '../server/api';
import { ITablePage, ITableRow } from '../server/types';

const PAGE = 100;
const EMPTY: ITablePage = { rows: [], total: 0, parameters: [], metrics: [] };

/** The rows of the table that are seen, and which are chosen; it asks when the list of jobs has changed. */
export class TableModel {
  constructor(
    readonly api: HPCApi,
    private _jobs: IHPCJobs
  ) {
    _jobs.changed.connect(this._onJobs, this);
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  get page(): ITablePage {
    return this._page;
  }

  get isReady(): boolean {
    return this._isReady;
  }

  get problem(): string {
    return this._problem;
  }

  get query(): ITableQuery {
    return this._query;
  }

  set query(query: ITableQuery) {
    this._query = query;
    this._rows.clear();
    this._window = [0, PAGE];
    this._fresh = [0, 0];
    void this.refresh();
  }

  /** Ids of the chosen rows, in the order in which they were chosen. */
  get chosen(): readonly string[] {
    return [...this._chosen.keys()];
  }

  /** The chosen rows as they were last seen. */
  get chosenRows(): ITableRow[] {
    return [...this._chosen.values()];
  }

  isChosen(id: string): boolean {
    return this._chosen.has(id);
  }

  /** Choose the row at an index, or no longer. */
  toggle(index: number): void {
    const row = this._rows.get(index);
    if (row && !this._chosen.delete(row.id)) {
      this._chosen.set(row.id, row);
    }
    this._anchor = index;
    this._changed.emit();
  }

  /** Choose all rows from the last one that was chosen to this one. */
  extend(index: number): void {
    const [from, to] = [this._anchor, index].sort((a, b) => a - b);
    for (let i = from; i <= to; i++) {
      const row = this._rows.get(i);
      if (row) {
        this._chosen.set(row.id, row);
      }
    }
    this._changed.emit();
  }

  choose(rows: ITableRow[]): void {
    this._chosen = new Map(rows.map(row => [row.id, row]));
    this._changed.emit();
  }

  /** The rows that are here. */
  get here(): ITableRow[] {
    return [...this._rows.values()];
  }

  row(index: number): ITableRow | undefined {
    return this._rows.get(index);
  }

  /** Say which rows are seen. */
  setWindow(first: number, last: number): void {
    this._window = [first, last];
    const [from, to] = this._fresh;
    if (first < from || Math.min(last, this._page.total) > to) {
      void this.refresh();
    }
  }

  watch(isWatched: boolean): void {
    if (isWatched !== this._isWatched) {
      this._isWatched = isWatched;
      this._jobs.watch(isWatched);
    }
  }

  /** Ask for the rows that are seen; what is scrolled to meanwhile is asked for then. */
  async refresh(): Promise<void> {
    if (this._isAsking) {
      this._isDue = true;
      return;
    }
    this._isAsking = true;
    do {
      this._isDue = false;
      await this._fetch();
      this._changed.emit();
    } while (this._isDue && !this._isDisposed);
    this._isAsking = false;
  }

  dispose(): void {
    this._isDisposed = true;
    this.watch(false);
    Signal.clearData(this);
  }

  private async _fetch(): Promise<void> {
    const query = this._query;
    const [first, last] = this._window;
    const start = Math.floor(first / PAGE) * PAGE;
    const count = Math.ceil((last - start) / PAGE) * PAGE || PAGE;
    try {
      const page = await this.api.table(query, start, Math.min(500, count));
      if (query !== this._query) {
        return; // another question was asked meanwhile
      }
      if (page.total !== this._page.total) {
        this._rows.clear();
      }
      page.rows.forEach((row, i) => this._rows.set(start + i, row));
      for (const row of page.rows.filter(each => this._chosen.has(each.id))) {
        this._chosen.set(row.id, row);
      }
      this._fresh = [start, start + page.rows.length];
      this._page = page;
      this._problem = '';
    } catch (error) {
      if (query === this._query) {
        this._problem = (error as Error).message;
      }
    }
    this._isReady = true;
  }

  private _onJobs(): void {
    if (this._isWatched) {
      void this.refresh();
    }
  }

  private _query: ITableQuery = { text: '', where: '', sort: '' };
  private _page = EMPTY;
  private _rows = new Map<number, ITableRow>();
  private _window: [number, number] = [0, PAGE];
  private _fresh: [number, number] = [0, 0];
  private _chosen = new Map<string, ITableRow>();
  private _anchor = 0;
  private _isAsking = false;
  private _isDue = false;
  private _isReady = false;
  private _isWatched = false;
  private _isDisposed = false;
  private _problem = '';
  private _changed = new Signal<this, void>(this);
}

import { ISignal, Signal } from '@lumino/signaling';
import { ahead, holds, kept, PAGE, pagesOf, Span } from '../jobs/paging';
import { IHPCJobs } from '../jobs/tokens';
import { HPCApi, ITableQuery } from '../server/api';
import { ITablePage, ITableRow } from '../server/types';

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
    this._seen = this._window = [0, PAGE];
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

  /** Whether all rows that are here are chosen. */
  get isAllChosen(): boolean {
    const rows = this._rows;
    const [count, most] = [rows.size, this._chosen.size];
    return (
      count > 0 &&
      most >= count &&
      this.here.every(row => this.isChosen(row.id))
    );
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
    this._window = ahead(this._seen, [first, last]);
    this._seen = [first, last];
    if (!this._isHere() && !this._isAsking) {
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
    let asked: Span;
    do {
      this._isDue = false;
      asked = this._window;
      await this._fetch();
      this._changed.emit();
      this._isDue ||= asked !== this._window && !this._isHere();
    } while (this._isDue && !this._isDisposed);
    this._isAsking = false;
  }

  dispose(): void {
    this._isDisposed = true;
    this.watch(false);
    Signal.clearData(this);
  }

  private _isHere(): boolean {
    return holds(this._fresh, this._window, this._page.total);
  }

  private async _fetch(): Promise<void> {
    const query = this._query;
    const [start, count] = pagesOf(this._window);
    try {
      const page = await this.api.table(query, start, count);
      if (query !== this._query) {
        return; // another question was asked meanwhile
      }
      if (page.total !== this._page.total) {
        this._rows.clear();
      }
      page.rows.forEach((row, i) =>
        this._rows.set(start + i, kept(this._rows.get(start + i), row))
      );
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
  private _seen: Span = [0, PAGE];
  private _window: Span = [0, PAGE]; // what is seen, and what comes next
  private _fresh: Span = [0, 0];
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

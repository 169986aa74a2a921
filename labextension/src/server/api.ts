import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';
import {
  ICapacity,
  ICell,
  IDifference,
  IDisplays,
  IFiles,
  IJobDetail,
  IJobId,
  ILineage,
  ILogWindow,
  IMatches,
  IOutputs,
  IPage,
  IProblem,
  IRecord,
  ISbatch,
  IResubmission,
  IResubmissionForm,
  IScript,
  ITablePage,
  ITag,
  ITarget,
  ITargets,
  operations
} from './types';

type Asked = NonNullable<operations['listJobs']['parameters']['query']>;

/** Which jobs are listed; what is empty matters not. */
export type IQuery = Required<Omit<Asked, 'state' | 'offset' | 'limit'>>;

/** Which jobs the table shows, and by which column they are sorted. */
export type ITableQuery = Required<
  Pick<
    NonNullable<operations['listRuns']['parameters']['query']>,
    'text' | 'where' | 'sort'
  >
>;

/** One of a job's two logs. */
export type LogName = NonNullable<
  NonNullable<operations['readLog']['parameters']['query']>['which']
>;

/** What the server said instead of an answer. */
export class HPCError extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly hint: string,
    readonly code: string
  ) {
    super(message);
  }
}

/** The routes of the server extension. */
export class HPCApi {
  constructor(readonly settings: ServerConnection.ISettings) {}

  async jobs(query: IQuery, offset: number, limit: number): Promise<IPage> {
    const asked = new URLSearchParams({
      ...query,
      offset: String(offset),
      limit: String(limit)
    });
    return this._ask<IPage>(`jobs?${asked}`);
  }

  async job(id: string): Promise<IJobDetail> {
    return this._ask<IJobDetail>(`jobs/${id}`);
  }

  async cancel(id: string): Promise<void> {
    await this._ask(`jobs/${id}/cancel`, 'POST', {});
  }

  /** The table of jobs. */
  async table(
    asked: ITableQuery,
    offset: number,
    limit: number
  ): Promise<ITablePage> {
    const query = new URLSearchParams({
      ...asked,
      offset: String(offset),
      limit: String(limit)
    });
    return this._ask<ITablePage>(`table?${query}`);
  }

  async compare(first: string, second: string): Promise<IDifference> {
    return this._ask<IDifference>(`jobs/${first}/compare/${second}`);
  }

  /** Give a run a tag; what it is called then. */
  async tag(id: string, tag: string): Promise<string> {
    const body: ITag = { tag };
    return (await this._ask<ITag>(`jobs/${id}/tag`, 'POST', body)).tag;
  }

  async untag(id: string, tag: string): Promise<void> {
    const path = `jobs/${id}/tag/${encodeURIComponent(tag)}`;
    await this._ask(path, 'DELETE');
  }

  /** Hold, release or requeue a job of the user's that we did not submit. */
  async act(id: string, act: 'hold' | 'release' | 'requeue'): Promise<void> {
    await this._ask(`jobs/${id}/${act}`, 'POST', {});
  }

  /** Let the cell that waits for the job go on without it. */
  async detach(id: string): Promise<void> {
    await this._ask(`jobs/${id}/detach`, 'POST', {});
  }

  async resubmit(id: string, body: IResubmission = {}): Promise<string> {
    const path = `jobs/${id}/resubmit`;
    return (await this._ask<IJobId>(path, 'POST', body)).id;
  }

  /** What can be another when a job is submitted again, on its own target or another. */
  async form(id: string, target = ''): Promise<IResubmissionForm> {
    const asked = new URLSearchParams(target ? { target } : {});
    return this._ask<IResubmissionForm>(`jobs/${id}/resubmit?${asked}`);
  }

  async forget(id: string): Promise<void> {
    await this._ask(`jobs/${id}`, 'DELETE');
  }

  async log(
    id: string,
    offset: number,
    limit: number,
    which: LogName = 'cell'
  ): Promise<ILogWindow> {
    return this._ask<ILogWindow>(
      `jobs/${id}/log?offset=${offset}&limit=${limit}&which=${which}`
    );
  }

  async search(
    id: string,
    text: string,
    offset: number,
    which: LogName = 'cell'
  ): Promise<IMatches> {
    const asked = new URLSearchParams({ text, offset: String(offset), which });
    return this._ask<IMatches>(`jobs/${id}/log/search?${asked}`);
  }

  async record(id: string): Promise<IRecord> {
    return this._ask<IRecord>(`jobs/${id}/record`);
  }

  async script(id: string): Promise<IScript> {
    return this._ask<IScript>(`jobs/${id}/script`);
  }

  /** What of a run can be downloaded. */
  async files(id: string): Promise<IFiles> {
    return this._ask<IFiles>(`jobs/${id}/files`);
  }

  /** Where a browser downloads one of those. */
  fileUrl(id: string, name: string): string {
    return URLExt.join(
      this.settings.baseUrl,
      `jupyter-hpc/jobs/${id}/files/${encodeURIComponent(name)}`
    );
  }

  /** Plots and values that a run displayed. */
  /** What the cell of a job shows once it has ended. */
  async outputs(id: string): Promise<IOutputs> {
    return this._ask<IOutputs>(`jobs/${id}/outputs`);
  }

  async displays(id: string): Promise<IDisplays> {
    return this._ask<IDisplays>(`jobs/${id}/displays`);
  }

  /** The cell as somebody would write it again. */
  async cell(id: string): Promise<ICell> {
    return this._ask<ICell>(`jobs/${id}/cell`);
  }

  /** The run as a batch script of its own. */
  async sbatch(id: string): Promise<ISbatch> {
    return this._ask<ISbatch>(`jobs/${id}/sbatch`);
  }

  async targets(): Promise<ITarget[]> {
    return (await this._ask<ITargets>('targets')).targets;
  }

  /** Who holds what of a target's nodes. */
  async nodes(target: string): Promise<ICapacity> {
    return this._ask<ICapacity>(`targets/${target}/nodes`);
  }

  /** A run's lineage, or null where the server has none of it. */
  async lineage(id: string): Promise<ILineage | null> {
    if (!this._hasLineage) {
      return null;
    }
    try {
      return await this._ask<ILineage>(`jobs/${id}/lineage`);
    } catch (error) {
      // without a message of ours there is no such route: it isn't asked for again
      const known = error as HPCError;
      this._hasLineage = known.status !== 404 || known.code !== '';
      return null;
    }
  }

  /** Where a browser downloads the whole log. */
  logFileUrl(id: string, which: LogName = 'cell'): string {
    return URLExt.join(
      this.settings.baseUrl,
      `jupyter-hpc/jobs/${id}/log/file?which=${which}`
    );
  }

  private async _ask<T>(
    path: string,
    method = 'GET',
    body?: object
  ): Promise<T> {
    const reply = await this._request(path, method, body);
    const text = await reply.text();
    let data: unknown = {};
    try {
      data = text ? JSON.parse(text) : {};
    } catch {
      data = {};
    }
    if (!reply.ok) {
      const { message, hint, code } = data as Partial<IProblem>;
      const status = `${reply.status} ${reply.statusText}`;
      throw new HPCError(
        reply.status,
        message ?? status,
        hint ?? '',
        code ?? ''
      );
    }
    return data as T;
  }

  /** Through Jupyter's own way, which adds token and XSRF header. */
  private _request(
    path: string,
    method = 'GET',
    body?: object
  ): Promise<Response> {
    const url = URLExt.join(this.settings.baseUrl, 'jupyter-hpc', path);
    const init: RequestInit = { method };
    if (body) {
      init.body = JSON.stringify(body);
    }
    return ServerConnection.makeRequest(url, init, this.settings);
  }

  private _hasLineage = true;
}

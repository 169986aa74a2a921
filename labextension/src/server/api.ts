import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';
import {
  IJobDetail,
  ILineage,
  ILogWindow,
  IMatches,
  IPage,
  IQuery,
  ITarget
} from './types';

/** What the server said instead of an answer. */
export class HPCError extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly hint: string
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

  /** Let the cell that waits for the job go on without it. */
  async detach(id: string): Promise<void> {
    await this._ask(`jobs/${id}/detach`, 'POST', {});
  }

  async resubmit(
    id: string,
    resources: { [key: string]: string } = {}
  ): Promise<string> {
    const made = await this._ask<{ id: string }>(
      `jobs/${id}/resubmit`,
      'POST',
      { resources }
    );
    return made.id;
  }

  async forget(id: string): Promise<void> {
    await this._ask(`jobs/${id}`, 'DELETE');
  }

  async log(
    id: string,
    offset: number,
    limit: number,
    which = 'cell'
  ): Promise<ILogWindow> {
    return this._ask<ILogWindow>(
      `jobs/${id}/log?offset=${offset}&limit=${limit}&which=${which}`
    );
  }

  async search(
    id: string,
    text: string,
    offset: number,
    which = 'cell'
  ): Promise<IMatches> {
    const asked = new URLSearchParams({ text, offset: String(offset), which });
    return this._ask<IMatches>(`jobs/${id}/log/search?${asked}`);
  }

  async record(id: string): Promise<unknown> {
    return this._ask(`jobs/${id}/record`);
  }

  async script(id: string): Promise<{ command: string[]; script: string }> {
    return this._ask(`jobs/${id}/script`);
  }

  async targets(): Promise<ITarget[]> {
    return (await this._ask<{ targets: ITarget[] }>('targets')).targets;
  }

  /** A run's lineage, or null where the server has none of it. */
  async lineage(id: string): Promise<ILineage | null> {
    if (!this._hasLineage) {
      return null;
    }
    const reply = await this._request(`jobs/${id}/lineage`);
    const text = await reply.text();
    if (!reply.ok) {
      // without a message of ours there is no such route: it isn't asked for again
      this._hasLineage = reply.status !== 404 || text.includes('"hint"');
      return null;
    }
    if (text.trimStart().startsWith('<')) {
      return { svg: text, text: '' };
    }
    const data = JSON.parse(text);
    const svg = typeof data?.svg === 'string' ? data.svg : '';
    return { svg, text: svg ? '' : JSON.stringify(data, null, 2) };
  }

  /** Where a browser downloads the whole log. */
  logFileUrl(id: string, which = 'cell'): string {
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
    let data: any = {};
    try {
      data = text ? JSON.parse(text) : {};
    } catch {
      data = {};
    }
    if (!reply.ok) {
      throw new HPCError(
        reply.status,
        data.message ?? `${reply.status} ${reply.statusText}`,
        data.hint ?? ''
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

import { ReactWidget } from '@jupyterlab/apputils';
import { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { IRenderMime } from '@jupyterlab/rendermime-interfaces';
import { TranslationBundle } from '@jupyterlab/translation';
import { CommandRegistry } from '@lumino/commands';
import { PanelLayout, Widget } from '@lumino/widgets';
import * as React from 'react';
import { IAgain, Resubmit } from './resubmit';
import { HPCApi } from '../server/api';
import { isLive } from '../jobs/format';
import { MIME } from './finished';
import { LiveJob } from './livejob';
import { IHPCJobs } from '../jobs/tokens';

const WIDGET = 'application/vnd.jupyter.widget-view+json';

export interface IRendererContext {
  api: HPCApi;
  model: IHPCJobs;
  commands: CommandRegistry;
  rendermime: IRenderMimeRegistry;
  trans: TranslationBundle;
}

/**
 * A job's output. While the job lives and the server knows it, it is shown live, whatever became of page and kernel;
 * else the static card that was saved, or the kernel's widget where there is no server extension.
 */
export class JobOutput extends Widget implements IRenderMime.IRenderer {
  constructor(
    private _context: IRendererContext,
    private _options: IRenderMime.IRendererOptions
  ) {
    super();
    this.addClass('jp-HPCOutput');
    this.layout = new PanelLayout();
  }

  async renderModel(model: IRenderMime.IMimeModel): Promise<void> {
    const data = model.data[MIME] as
      { id?: unknown; state?: unknown; again?: IAgain } | undefined;
    const id = typeof data?.id === 'string' ? data.id : '';
    const layout = this.layout as PanelLayout;
    const wasLive = isLive({ state: String(data?.state) });
    const turn = ++this._turn;
    const again = data?.again;
    const isKnown = (wasLive || again) && !!id && (await this._isKnown(id));
    if (turn !== this._turn || this.isDisposed) {
      return; // a later state was rendered meanwhile
    }
    for (const widget of [...layout.widgets]) {
      widget.dispose();
    }
    if (isKnown && again) {
      const submitted = (made: string) => {
        layout.widgets[0].dispose();
        this._showLive(made);
      };
      const shown = (
        <Resubmit {...this._context} {...{ id, again, submitted }} />
      );
      layout.addWidget(ReactWidget.create(shown));
      return;
    }
    if (isKnown) {
      this._showLive(id);
      return;
    }
    const mimes =
      wasLive || again
        ? [WIDGET, 'text/html', 'text/plain']
        : ['text/html', 'text/plain'];
    const { rendermime } = this._context;
    const saved = mimes.find(
      mime => mime in model.data && rendermime.getFactory(mime)
    );
    if (saved) {
      const renderer = rendermime.createRenderer(saved);
      layout.addWidget(renderer);
      await renderer.renderModel(model);
    }
  }

  private _showLive(id: string): void {
    const { model } = this._context;
    if (!model.live.some(job => job.id === id)) {
      void model.refresh(); // its cell has just begun: the list may rest, as nobody looks at it
    }
    const sanitizer = this._options.sanitizer;
    const shown = <LiveJob {...this._context} id={id} sanitizer={sanitizer} />;
    (this.layout as PanelLayout).addWidget(ReactWidget.create(shown));
  }

  private _turn = 0;

  /** Whether the server has the job: it may have no extension of ours, or have forgotten the run. */
  private async _isKnown(id: string): Promise<boolean> {
    try {
      await this._context.api.job(id);
      return true;
    } catch {
      return false;
    }
  }
}

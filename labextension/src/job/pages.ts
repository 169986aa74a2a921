import { JupyterFrontEnd } from '@jupyterlab/application';
import { DockPanel, TabBar, Widget } from '@lumino/widgets';
import { addToMain, showBelow } from '../parts/mainarea';
import { JobPage, JobTracker } from './widget';

const PREVIEW = 'jp-mod-preview';
/** What somebody does with a page; to scroll it, or to select a text in it, is only to look. */
const ACTED_ON = 'button, a, input, select, textarea, summary, [role="tab"]';

/**
 * The pages of jobs in the main area. One of them at most is a preview, as editors have it: the next one takes its
 * place, until somebody does anything in it, opens it with a double click or moves its tab.
 */
export class JobPages {
  constructor(
    private _shell: JupyterFrontEnd.IShell,
    private _tracker: JobTracker,
    private _make: (id: string) => JobPage
  ) {}

  /** Show a job: in its page if there is one, else in a page of its own or in the preview. */
  async open(id: string, isPreview = false): Promise<void> {
    const found = this._tracker.find(page => page.jobId === id);
    if (found) {
      if (!isPreview) {
        this.pin(found);
      }
      showBelow(found);
      this._shell.activateById(found.id);
      return;
    }
    const page = this._make(id);
    const before = isPreview ? this._preview : null;
    page.named.connect(this._label, this);
    page.disposed.connect(this._onDisposed, this);
    if (isPreview) {
      this._preview = page;
      page.isPreview = true;
      page.title.className = PREVIEW;
      whenActedOn(page, () => this.pin(page));
    }
    const place = { ref: before?.id, mode: 'tab-after' as const };
    addToMain(this._shell, page, before?.isAttached ? place : {});
    before?.dispose();
    if (isPreview) {
      whenMoved(page, () => this.pin(page));
    }
    const added = this._tracker.add(page);
    this._label();
    this._shell.activateById(page.id);
    await added;
  }

  /** Keep a page: no other takes its place, and it is there when JupyterLab is loaded again. */
  pin(page: JobPage): void {
    if (page !== this._preview) {
      return;
    }
    this._preview = null;
    page.isPreview = false;
    page.title.className = '';
    void this._tracker.save(page);
  }

  /** Give each tab the name of its job, and those of one name a part of their ids. */
  private _label(): void {
    const pages: JobPage[] = [];
    this._tracker.forEach(page => page.isDisposed || pages.push(page));
    for (const page of pages) {
      const isAlone = pages.every(
        other => other === page || other.jobName !== page.jobName
      );
      const name = page.jobName ? shortened(page.jobName) : '';
      const id = shortId(page.jobId);
      page.title.label = !name ? id : isAlone ? name : `${name} · ${id}`;
      page.title.caption = [page.jobName, page.jobId]
        .filter(each => each)
        .join('\n');
    }
  }

  private _onDisposed(page: JobPage): void {
    if (page === this._preview) {
      this._preview = null;
    }
    this._label();
  }

  private _preview: JobPage | null = null;
}

/** What tells one run from another of its name at a glance: the random part of its id. */
export function shortId(id: string): string {
  return id.slice(id.indexOf('~') + 1).replace(/^\d{8}-\d{6}-/, '');
}

function shortened(name: string): string {
  return name.length > 24 ? `${name.slice(0, 23)}…` : name;
}

/** Call when somebody does something in a page. */
function whenActedOn(page: JobPage, call: () => void): void {
  const { node } = page.content;
  const onEvent = (event: Event) => {
    const isOnIt = (event.target as Element).closest?.(ACTED_ON);
    const isStep =
      !(event instanceof KeyboardEvent) ||
      ['Enter', ' '].includes(event.key) ||
      (!!(event.target as Element).closest('[role="tab"]') &&
        /^(Arrow|Home|End)/.test(event.key));
    if (isOnIt && isStep) {
      call();
    }
  };
  // before what the click does: that may open another page
  for (const kind of ['click', 'input', 'keydown']) {
    node.addEventListener(kind, onEvent, true);
  }
}

/** Call when the tab of a page is moved by hand. */
function whenMoved(page: Widget, call: () => void): void {
  const dock = page.parent;
  if (!(dock instanceof DockPanel)) {
    return; // a front end with one document at a time
  }
  const bar = () =>
    [...dock.tabBars()].find(b => b.titles.includes(page.title));
  const first = bar();
  const onMoved = (_: TabBar<Widget>, to: TabBar.ITabMovedArgs<Widget>) => {
    if (to.title === page.title) {
      call();
    }
  };
  const onLayout = () => {
    const now = bar();
    if (now && now !== first) {
      call();
    }
  };
  first?.tabMoved.connect(onMoved);
  dock.layoutModified.connect(onLayout);
  page.disposed.connect(() => {
    first?.tabMoved.disconnect(onMoved);
    dock.layoutModified.disconnect(onLayout);
  });
}

import { JupyterFrontEnd } from '@jupyterlab/application';
import { WidgetTracker } from '@jupyterlab/apputils';
import { Signal } from '@lumino/signaling';
import { DockPanel, TabPanel, Widget } from '@lumino/widgets';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { JobPages, shortId } from '../src/job/pages';
import { JobPage } from '../src/job/widget';

const PATIENCE = 30_000; // until nothing will come any more

/** A page without what is in it: a button, and a text to read. */
class Page extends Widget {
  constructor(readonly jobId: string) {
    super();
    this.id = `jupyter-hpc-${jobId}`;
    this.content.node.innerHTML = '<button>Cancel</button><p>text</p>';
    this.node.append(this.content.node);
  }

  isPreview = false;
  jobName = '';
  content = new Widget();
  named = new Signal<this, void>(this);

  call(name: string): void {
    this.jobName = name;
    this.named.emit();
  }
}

describe('pages of jobs', () => {
  let dock: DockPanel;
  let pages: JobPages;
  let tracker: WidgetTracker<JobPage>;
  let active = '';

  beforeEach(() => {
    dock = new DockPanel();
    Widget.attach(dock, document.body);
    tracker = new WidgetTracker({ namespace: 'test' });
    const shell = {
      add: (widget: Widget, _: string, options: DockPanel.IAddOptions) => {
        const at = [...dock.widgets()].find(
          each => each.id === (options.ref as unknown)
        );
        dock.addWidget(widget, { ...options, ref: at ?? null });
      },
      activateById: (id: string) => {
        active = id.slice('jupyter-hpc-'.length);
      }
    } as unknown as JupyterFrontEnd.IShell;
    pages = new JobPages(
      shell,
      tracker,
      id => new Page(id) as unknown as JobPage
    );
  });

  afterEach(() => dock.dispose());

  const all = () =>
    [...dock.widgets()].map(
      each => (each as Page).jobId + ((each as Page).isPreview ? '?' : '')
    );
  const page = (id: string) =>
    [...dock.widgets()].find(each => (each as Page).jobId === id) as Page;

  it('are replaced while they are only looked at', async () => {
    await pages.open('a', true);
    expect(page('a').title.className).toBe('jp-mod-preview');
    await pages.open('b', true);
    await pages.open('c', true);
    expect(all()).toEqual(['c?']);
    expect(active).toBe('c');
  });

  it('stay when they were opened to stay, and a preview comes beside them', async () => {
    await pages.open('a');
    await pages.open('b', true);
    await pages.open('a', true);
    expect(all()).toEqual(['a', 'b?']);
    expect(active).toBe('a');
  });

  it('stay after a double click, which is two clicks first', async () => {
    void pages.open('a', true);
    void pages.open('a', true);
    await pages.open('a');
    await pages.open('b', true);
    expect(all()).toEqual(['a', 'b?']);
    expect(page('a').title.className).toBe('');
  });

  it('stay when somebody does something in them, not when he reads', async () => {
    await pages.open('a', true);
    const press = (on: string, event: Event) =>
      page('a').content.node.querySelector(on)!.dispatchEvent(event);
    press('p', new MouseEvent('click', { bubbles: true }));
    press('p', new Event('wheel', { bubbles: true }));
    press(
      'button',
      new KeyboardEvent('keydown', { key: 'Tab', bubbles: true })
    );
    expect(all()).toEqual(['a?']);
    press('button', new MouseEvent('click', { bubbles: true }));
    expect(all()).toEqual(['a']);
    await pages.open('b', true);
    expect(all()).toEqual(['a', 'b?']);
  });

  it('stay when their tab is moved', async () => {
    await pages.open('a');
    await pages.open('b', true);
    dock.addWidget(page('b'), { mode: 'split-right', ref: page('a') });
    await vi.waitFor(() => expect(all()).toEqual(['a', 'b']), PATIENCE);
    await pages.open('c', true);
    expect(all().sort()).toEqual(['a', 'b', 'c?']);
  });

  it('do not stay because another is closed beside them', async () => {
    await pages.open('a');
    await pages.open('b', true);
    page('a').dispose();
    const told = vi.fn();
    dock.layoutModified.connect(told);
    await vi.waitFor(() => expect(told).toHaveBeenCalled(), PATIENCE);
    expect(all()).toEqual(['b?']);
  });

  it('are told apart where they have one name', async () => {
    await pages.open('20260101-000000-aaaaaa');
    await pages.open('20260101-000000-bbbbbb');
    const [a, b] = [...dock.widgets()] as unknown as Page[];
    expect(a.title.label).toBe('aaaaaa');
    a.call('train');
    expect(a.title.label).toBe('train');
    b.call('train');
    expect([a.title.label, b.title.label]).toEqual([
      'train · aaaaaa',
      'train · bbbbbb'
    ]);
    expect(b.title.caption).toBe('train\n20260101-000000-bbbbbb');
    b.dispose();
    expect(a.title.label).toBe('train');
  });

  it('have a short name for a job that is not ours', () => {
    expect(shortId('slurm~41_7')).toBe('41_7');
    expect(shortId('20260101-000000-aaaaaa_3')).toBe('aaaaaa_3');
  });
});

it('stand under the document where the main area takes no other', async () => {
  const below = new TabPanel();
  below.hide();
  Widget.attach(below, document.body);
  const shell = {
    add: (widget: Widget, area: string) =>
      area === 'down' && below.addWidget(widget),
    activateById: () => undefined
  } as unknown as JupyterFrontEnd.IShell;
  const pages = new JobPages(
    shell,
    new WidgetTracker({ namespace: 'below' }),
    id => new Page(id) as unknown as JobPage
  );
  await pages.open('a');
  await pages.open('b');
  expect(below.isVisible).toBe(true);
  expect((below.currentWidget as Page).jobId).toBe('b');
  await pages.open('a');
  expect((below.currentWidget as Page).jobId).toBe('a');
  below.dispose();
});

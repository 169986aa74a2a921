import { nullTranslator } from '@jupyterlab/translation';
import {
  RenderMimeRegistry,
  standardRendererFactories
} from '@jupyterlab/rendermime';
import { Sanitizer } from '@jupyterlab/apputils';
import { CommandRegistry } from '@lumino/commands';
import { Signal } from '@lumino/signaling';
import * as React from 'react';
import { act } from 'react';
import { createRoot, Root } from 'react-dom/client';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { addTabs } from '../src/job/builtin';
import { IJobTab, JobTabs } from '../src/job/jobtabs';
import { IPageMemory, JobView } from '../src/job/jobview';
import { CommandIDs } from '../src/jobs/commandids';
import { IHPCJobs } from '../src/jobs/tokens';
import { HPCApi } from '../src/server/api';
import { IJobDetail } from '../src/server/types';
import { whole } from './jobs';

const trans = nullTranslator.load('jupyter_hpc');

function tab(name: string, rank: number, more: Partial<IJobTab> = {}): IJobTab {
  return { name, label: name, rank, render: () => <p>{name}</p>, ...more };
}

describe('tabs', () => {
  it('stand by rank, and as they came', () => {
    const tabs = new JobTabs();
    tabs.add(tab('c', 300));
    tabs.add(tab('a', 100));
    tabs.add(tab('b', 300));
    expect(tabs.all.map(each => each.name)).toEqual(['a', 'c', 'b']);
  });

  it('are told when they come and go', () => {
    const tabs = new JobTabs();
    const told: string[] = [];
    tabs.changed.connect(() =>
      told.push(tabs.all.map(each => each.name).join())
    );
    const a = tabs.add(tab('a', 1));
    tabs.add(tab('b', 2));
    a.dispose();
    a.dispose();
    expect(told).toEqual(['a', 'a,b', 'b']);
  });

  it('have a name each', () => {
    const tabs = new JobTabs();
    tabs.add(tab('a', 1));
    expect(() => tabs.add(tab('a', 2))).toThrow('There is a tab a already.');
    expect(tabs.all.length).toBe(1);
  });
});

describe('the view of a job', () => {
  let host: HTMLElement;
  let root: Root;
  let tabs: JobTabs;
  let commands: CommandRegistry;
  let opened: unknown[];
  const rendermime = new RenderMimeRegistry({
    initialFactories: standardRendererFactories
  });

  beforeEach(() => {
    (globalThis as any).IS_REACT_ACT_ENVIRONMENT = true;
    host = document.body.appendChild(document.createElement('div'));
    root = createRoot(host);
    tabs = new JobTabs();
    opened = [];
    commands = new CommandRegistry();
    commands.addCommand(CommandIDs.open, {
      describedBy: { args: {} },
      execute: args => opened.push({ ...args })
    });
  });

  afterEach(() => {
    act(() => root.unmount());
    host.remove();
  });

  async function show(
    job: IJobDetail,
    answers: { [route: string]: unknown } = {},
    memory?: IPageMemory
  ): Promise<void> {
    const api = {
      job: async () => job,
      lineage: async () => answers.lineage ?? null,
      log: async (_: string, offset: number, limit: number, which?: string) => {
        const text = which === 'scheduler' ? answers.scheduler : answers.log;
        const found = String(text ?? 'hello');
        const size = which === 'scheduler' && !text ? 0 : found.length;
        return { text: found, offset: 0, next: size, size, tasks: [] };
      },
      logFileUrl: () => '',
      files: async () => ({ files: answers.files ?? [], folder: null }),
      fileUrl: (id: string, name: string) => `/files/${id}/${name}`,
      displays: async () => ({
        displays: answers.displays ?? [],
        left_out: 0
      })
    } as unknown as HPCApi;
    const model = { changed: new Signal({}) } as unknown as IHPCJobs;
    await act(async () =>
      root.render(
        <JobView
          {...{ api, model, tabs, trans, commands, memory, rendermime }}
          id={job.id}
          sanitizer={new Sanitizer()}
          named={() => undefined}
        />
      )
    );
  }

  const labels = () =>
    [...host.querySelectorAll('[role=tab]')].map(each => each.textContent);
  const shown = () =>
    host.querySelector('.jp-HPCJob-tab:not([hidden])')?.textContent;
  const choose = (label: string) =>
    act(async () =>
      [...host.querySelectorAll<HTMLElement>('[role=tab]')]
        .find(each => each.textContent === label)!
        .click()
    );

  it('has the tabs of this package, which are added as any other', async () => {
    addTabs(tabs, trans);
    await show(whole('j'));
    expect(labels()).toEqual(['Overview', 'Log', 'Script', 'Record']);
    expect(shown()).toContain('x = 1');
    expect(shown()).toContain('hello');
    await choose('Log');
    expect(host.querySelector('.jp-HPCLog-text')).not.toBeNull();
  });

  it('has a tab for lineage where the server has it', async () => {
    addTabs(tabs, trans);
    await show(whole('j'), { lineage: { svg: '', text: 'made by k' } });
    expect(labels()).toContain('Lineage');
    await choose('Lineage');
    expect(shown()).toBe('made by k');
  });

  it('has two tabs for a job that is not ours', async () => {
    addTabs(tabs, trans);
    const {
      is_awaited: _a,
      traceback: _t,
      first_line: _f,
      failed_line: _l,
      files: _s,
      ...job
    } = whole('slurm~7');
    await show({ ...job, foreign: true, log_path: '', ends_with: 'scancel 7' });
    expect(labels()).toEqual(['Overview', 'Log']);
    expect(shown()).toContain('scancel 7');
  });

  it('keeps a tab that was left as it was', async () => {
    function Typed(): React.ReactElement {
      return <input defaultValue="" />;
    }
    tabs.add(tab('a', 1, { render: () => <Typed /> }));
    tabs.add(tab('b', 2));
    await show(whole('j'));
    host.querySelector('input')!.value = 'half a word';
    await choose('b');
    expect(shown()).toBe('b');
    await choose('a');
    expect(host.querySelector('input')!.value).toBe('half a word');
  });

  it('comes back with the tab that was chosen', async () => {
    tabs.add(tab('a', 1));
    tabs.add(tab('b', 2));
    const memory = { tab: '' };
    await show(whole('j'), {}, memory);
    await choose('b');
    act(() => root.unmount()); // as when its page is put elsewhere
    root = createRoot(host);
    await show(whole('j'), {}, memory);
    expect(shown()).toBe('b');
  });

  it('says first why it failed, and marks the line', async () => {
    addTabs(tabs, trans);
    await show({
      ...whole('j', 'FAILED'),
      code: 'a = 1\nb = a / 0',
      first_line: 2,
      failed_line: 3,
      hint: 'Divide by <b>something</b> else.',
      traceback: 'ZeroDivisionError: division by zero'
    });
    expect(shown()).toContain('→ Divide by <b>something</b> else.');
    expect(shown()).toContain('ZeroDivisionError: division by zero');
    const failed = host.querySelector('.jp-HPCCode-line.jp-mod-failed')!;
    expect(failed.textContent).toBe('It failed here: b = a / 0\n');
    expect(failed.getAttribute('data-line')).toBe('3');
  });

  it('links to the runs of its inputs, and to its files', async () => {
    addTabs(tabs, trans);
    const value = {
      name: 'raw',
      type: 'array.array',
      nbytes: 2048,
      digest: ''
    };
    const title = '/home/a/<i>.pt';
    const files = [{ name: 'made-0', title, role: 'made', nbytes: 10 }];
    await show(
      { ...whole('j', 'COMPLETED'), inputs: [{ ...value, origin: 'k' }] },
      { files }
    );
    expect(shown()).toContain('raw');
    host
      .querySelector<HTMLElement>('[aria-label="Open the run that made raw"]')!
      .click();
    expect(opened).toEqual([{ id: 'k', preview: true }]);
    const link = host.querySelector<HTMLAnchorElement>('a[download]')!;
    expect(link.getAttribute('href')).toBe('/files/j/made-0');
    expect(link.textContent).toBe('/home/a/<i>.pt');
  });

  it('shows what was displayed as what nobody trusts', async () => {
    addTabs(tabs, trans);
    const data = [
      {
        'text/html':
          '<b>table</b><img src=x onerror="owned=1"><script>owned=1</script>',
        'text/plain': 'plain'
      },
      { 'application/javascript': 'owned = 1', 'text/plain': 'words' },
      { 'image/svg+xml': '<svg onload="owned=1"/>', 'text/plain': 'a plot' },
      { 'application/vnd.jupyter.widget-view+json': {}, 'text/plain': 'wid' }
    ];
    const displays = data.map(each => ({
      data: each,
      metadata: {},
      task: null
    }));
    await show(whole('j', 'COMPLETED'), { displays });
    await act(async () => undefined);
    const all = [...host.querySelectorAll('.jp-HPCJob-display')];
    expect(all.map(each => each.textContent?.trim())).toEqual([
      'table',
      'words',
      '',
      'wid'
    ]);
    expect(all[0].querySelector('script, [onerror]')).toBeNull();
    const picture = all[2].querySelector('img')!;
    expect(picture.src).toContain('data:image/svg+xml');
    expect(picture.alt).toBe('a plot');
    expect((window as any).owned).toBeUndefined();
  });

  it('has what the scheduler said in the log, where it said something', async () => {
    addTabs(tabs, trans);
    await show(whole('j'), { scheduler: 'slurmstepd: error: killed' });
    await choose('Log');
    const chips = [
      ...host.querySelectorAll<HTMLElement>('.jp-HPCJob-which button')
    ];
    expect(chips.map(each => each.textContent)).toEqual([
      'The cell',
      'The scheduler'
    ]);
    await act(async () => chips[1].click());
    expect(shown()).toContain('slurmstepd: error: killed');
  });

  it('takes a tab of another extension while it is open, and lets it go', async () => {
    addTabs(tabs, trans);
    await show(whole('j'));
    function Mine(props: { job: IJobDetail }): React.ReactElement {
      const [text] = React.useState('mine of ');
      return <p>{text + props.job.name}</p>;
    }
    const isFor = (job: IJobDetail) => !job.foreign;
    const mine = tab('mine', 150, {
      isFor,
      render: props => <Mine {...props} />
    });
    let added = { dispose: () => undefined as void };
    await act(async () => {
      added = tabs.add(mine);
    });
    expect(labels().slice(0, 3)).toEqual(['Overview', 'mine', 'Log']);
    await choose('mine');
    expect(shown()).toBe('mine of job j');
    await act(async () => added.dispose());
    expect(labels()).not.toContain('mine');
    expect(shown()).toContain('x = 1');
  });

  it('leaves out a tab that finds nothing to show, or fails to look', async () => {
    tabs.add(tab('a', 1));
    tabs.add(tab('none', 2, { has: async () => false }));
    tabs.add(tab('broken', 3, { has: () => Promise.reject(new Error('no')) }));
    tabs.add(tab('some', 4, { has: async ({ job }) => job.id === 'j' }));
    await show(whole('j'));
    expect(labels()).toEqual(['a', 'some']);
  });
});

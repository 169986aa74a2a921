import { nullTranslator } from '@jupyterlab/translation';
import { Sanitizer } from '@jupyterlab/apputils';
import { CommandRegistry } from '@lumino/commands';
import { Signal } from '@lumino/signaling';
import * as React from 'react';
import { act } from 'react';
import { createRoot, Root } from 'react-dom/client';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { addTabs } from '../src/job/builtin';
import { IJobTab, JobTabs } from '../src/job/jobtabs';
import { JobView } from '../src/job/jobview';
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

  beforeEach(() => {
    (globalThis as any).IS_REACT_ACT_ENVIRONMENT = true;
    host = document.body.appendChild(document.createElement('div'));
    root = createRoot(host);
    tabs = new JobTabs();
  });

  afterEach(() => {
    act(() => root.unmount());
    host.remove();
  });

  async function show(job: IJobDetail, lineage: unknown = null): Promise<void> {
    const api = {
      job: async () => job,
      lineage: async () => lineage,
      log: async () => ({ text: 'hello', offset: 0, next: 5, size: 5 }),
      logFileUrl: () => ''
    } as unknown as HPCApi;
    const model = { changed: new Signal({}) } as unknown as IHPCJobs;
    await act(async () =>
      root.render(
        <JobView
          {...{ api, model, tabs, trans }}
          id={job.id}
          commands={new CommandRegistry()}
          sanitizer={new Sanitizer()}
          named={() => undefined}
        />
      )
    );
  }

  const labels = () =>
    [...host.querySelectorAll('[role=tab]')].map(each => each.textContent);
  const shown = () => host.querySelector('[role=tabpanel]')?.textContent;
  const choose = (label: string) =>
    act(async () =>
      [...host.querySelectorAll<HTMLElement>('[role=tab]')]
        .find(each => each.textContent === label)!
        .click()
    );

  it('has the tabs of this package, which are added as any other', async () => {
    addTabs(tabs, trans);
    const all = [
      'Log',
      'Details',
      'Resources',
      'Script',
      'Scheduler',
      'Record'
    ];
    await show(whole('j'));
    expect(labels()).toEqual(all);
    expect(host.querySelector('[role=log]')).not.toBeNull();
    await choose('Details');
    expect(shown()).toContain('x = 1');
  });

  it('has a tab for lineage where the server has it', async () => {
    addTabs(tabs, trans);
    await show(whole('j'), { svg: '', text: 'made by k' });
    expect(labels()).toContain('Lineage');
    await choose('Lineage');
    expect(shown()).toBe('made by k');
  });

  it('has two tabs for a job that is not ours', async () => {
    addTabs(tabs, trans);
    const { is_awaited: _a, traceback: _t, ...job } = whole('slurm~7');
    await show({ ...job, foreign: true, log_path: '', ends_with: 'scancel 7' });
    expect(labels()).toEqual(['Log', 'Details']);
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
    expect(labels().slice(0, 3)).toEqual(['Log', 'mine', 'Details']);
    await choose('mine');
    expect(shown()).toBe('mine of job j');
    await act(async () => added.dispose());
    expect(labels()).not.toContain('mine');
    expect(host.querySelector('[role=log]')).not.toBeNull();
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

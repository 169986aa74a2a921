import { nullTranslator } from '@jupyterlab/translation';
import { Sanitizer } from '@jupyterlab/apputils';
import { CommandRegistry } from '@lumino/commands';
import { Signal } from '@lumino/signaling';
import * as React from 'react';
import { act } from 'react';
import { createRoot, Root } from 'react-dom/client';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { IHPCJobs } from '../src/jobs/tokens';
import { LiveJob } from '../src/output/livejob';
import { meters } from '../src/output/meters';
import { HPCApi } from '../src/server/api';
import { IOwnJob } from '../src/server/types';
import { whole } from './jobs';

const trans = nullTranslator.load('jupyter_hpc');
const GPU = { percent: '43', mib_used: '10240', mib_total: '81920' };

describe('what a job uses now', () => {
  const samples = [1, 2].map(t => ({
    t,
    rss: (100 + t) * 2 ** 20,
    cpu_s: 1.5 * t,
    gpus: [GPU, { ...GPU, percent: '[N/A]', mib_used: '[N/A]' }]
  }));

  it('is said in words with units, as the kernel says it', () => {
    const job = { ...whole('a'), samples } as IOwnJob;
    const found = meters(
      { ...job, resources: { cpus: 4, memory: 2 ** 30 } },
      trans
    );
    expect(found.map(each => `${each.name} ${each.words}`)).toEqual([
      'cpu 1.5 of 4',
      'memory 102 MiB of 1 GiB',
      'gpu 0 43 %, 10 GiB of 80 GiB',
      'gpu 1 0 %, 0 B of 80 GiB'
    ]);
  });

  it('is nothing before the first sample, and needs no limit', () => {
    expect(meters(whole('a'), trans)).toEqual([]);
    const job = { ...whole('a'), samples } as IOwnJob;
    expect(meters(job, trans)[1].words).toBe('102 MiB');
  });
});

describe('a job in the output of its cell', () => {
  let host: HTMLElement;
  let root: Root;

  beforeEach(() => {
    (globalThis as any).IS_REACT_ACT_ENVIRONMENT = true;
    host = document.body.appendChild(document.createElement('div'));
    root = createRoot(host);
  });

  afterEach(() => {
    act(() => root.unmount());
    host.remove();
  });

  async function show(job: IOwnJob, text = 'hello'): Promise<HTMLElement> {
    const api = {
      job: async () => job,
      log: async () => ({
        text,
        offset: 0,
        next: text.length,
        size: text.length,
        tasks: []
      }),
      logFileUrl: () => ''
    } as unknown as HPCApi;
    const model = { changed: new Signal({}) } as unknown as IHPCJobs;
    const commands = new CommandRegistry();
    const sanitizer = new Sanitizer();
    const { id } = job;
    await act(async () =>
      root.render(
        <LiveJob {...{ id, api, model, commands, sanitizer, trans }} />
      )
    );
    return host.querySelector<HTMLElement>('.jp-HPCOutput-live')!;
  }

  it('has one line that says state, name, place and time of limit', async () => {
    const started_at = Date.now() / 1000 - 240;
    const shown = await show({ ...whole('a'), started_at, time_limit_s: 1800 });
    const head = shown.querySelector('.jp-HPCOutput-head')!;
    expect(head.textContent?.replace(/\s+/g, ' ')).toMatch(
      /^▶ running job a slurm job 7 · node1 4 min( \d+ s)? of 30 min/
    );
    const bar = head.querySelector('[role=progressbar]')!;
    expect(bar.getAttribute('aria-valuenow')).toBe('13');
    const labels = [...head.querySelectorAll('button')].map(b => b.textContent);
    expect(labels).toEqual(['Open log', 'Cancel']);
  });

  it('has nothing at all of a log in which nobody wrote', async () => {
    const shown = await show(whole('a'), '');
    expect(shown.querySelector('.jp-HPCLog')).toBeNull();
    expect(shown.textContent).not.toContain('printed');
  });

  it('says in a sentence that a gpu is idle', async () => {
    const samples = [{ t: 1, rss: 1, cpu_s: 1 }];
    const idle = 'gpu 0 has done nothing for 7 min';
    const shown = await show({ ...whole('a'), samples, idle });
    expect(shown.textContent).toContain(idle);
  });

  it('that has ended has neither meters nor buttons that end it', async () => {
    const samples = [{ t: 1, rss: 1, cpu_s: 1 }];
    const shown = await show({
      ...whole('a', 'FAILED'),
      samples,
      ended_at: 1013
    });
    expect(shown.querySelector('.jp-HPCOutput-use')).toBeNull();
    expect(shown.textContent).toContain('12 s');
    expect(shown.textContent).not.toContain('Cancel');
  });
});

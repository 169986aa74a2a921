import { nullTranslator } from '@jupyterlab/translation';
import * as React from 'react';
import { act } from 'react';
import { createRoot, Root } from 'react-dom/client';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { asked } from '../src/job/facts';
import { Folded } from '../src/job/folded';
import { reasonOf } from '../src/parts/waiting';
import { IOwnJob } from '../src/server/types';
import { whole } from './jobs';

const trans = nullTranslator.load('jupyter_hpc');

describe('a list on the page of a job', () => {
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

  const show = (count: number) => {
    const items = Array.from({ length: count }, (_, i) => <li key={i}>{i}</li>);
    act(() => root.render(<Folded className="" {...{ items, trans }} />));
    return [
      host.querySelectorAll(':scope > ul > li').length,
      host.querySelectorAll('details li').length
    ];
  };

  it('is folded where it is long, so that what follows is seen', () => {
    expect(show(40)).toEqual([8, 32]);
    expect(host.querySelector('summary')!.textContent).toBe('32 more');
  });

  it('is whole where folding would save no line', () => {
    expect(show(9)).toEqual([9, 0]);
  });
});

it('what was asked for is said as cards say it', () => {
  const job = {
    ...whole('a'),
    resources: { cpus: 1, memory: 2 * 1024 ** 3, gpus: 3, gpu_type: 'a100' },
    spec: { name: 'a', partition: 'gpu', requeue: true }
  };
  expect(asked(job, { trans })).toEqual([
    '1 cpu',
    '2 GiB',
    '3 a100 gpus',
    'partition gpu',
    'requeue'
  ]);
});

it('when a job may start is not said in its reason too', () => {
  const job: IOwnJob = {
    ...whole('a', 'PENDING'),
    reason: 'it is next; expected start in 8 h (Mon 30 Nov 04:33)',
    waiting: {
      asked_at: 1,
      reason: 'it is next',
      place: 1,
      ahead: 0,
      of: 1,
      expected_start: 2,
      suggestions: [],
      hint: ''
    }
  };
  expect(reasonOf(job)).toBe('it is next');
  expect(reasonOf({ ...job, waiting: null })).toBe(job.reason);
});

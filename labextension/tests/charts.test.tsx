import { nullTranslator } from '@jupyterlab/translation';
import * as React from 'react';
import { act } from 'react';
import { createRoot } from 'react-dom/client';
import { beforeEach, describe, expect, it } from 'vitest';
import { part, scale, ticks, written } from '../src/parts/scales';
import { Charts, Sparkline } from '../src/parts/charts';
import { IChart, IMetric } from '../src/server/types';

const trans = nullTranslator.load('jupyter_hpc');
let host: HTMLElement;

beforeEach(() => {
  (globalThis as any).IS_REACT_ACT_ENVIRONMENT = true;
  host = document.createElement('div');
});

function show(element: React.ReactElement): HTMLElement {
  act(() => createRoot(host).render(element));
  return host;
}

type IPoints = IChart['lines'][number]['points'];

function chart(
  name: string,
  lines: { [label: string]: IPoints },
  by = 'epoch'
): IChart {
  return {
    name,
    by,
    lines: Object.entries(lines).map(([label, points]) => {
      const values = points.map(([, y]) => y).filter(y => y !== null);
      return {
        label,
        points,
        last: values[values.length - 1] ?? 'nan',
        min: values.length ? Math.min(...values) : null,
        max: values.length ? Math.max(...values) : null,
        count: points.length
      };
    })
  };
}

const LOSS: IPoints = [
  [1, 0.9],
  [2, null],
  [3, 0.5],
  [4, 0.3]
];

describe('scales', () => {
  it('have two or three round ticks', () => {
    expect(ticks(scale([0, 1]))).toEqual([0, 0.5, 1]);
    expect(ticks(scale([0.31, 2.5]))).toEqual([1, 2]);
    expect(ticks(scale([1e-6, 1]))).toHaveLength(3);
  });

  it('are logarithmic where values above nothing span more than two decades', () => {
    expect(scale([1, 1000]).isLog).toBe(true);
    expect(scale([1, 50]).isLog).toBe(false);
    expect(scale([0, 1000]).isLog).toBe(false);
    expect(scale([1, 1000], false).isLog).toBe(false);
    expect(part(scale([1, 10000]), 100)).toBeCloseTo(0.5);
  });

  it('have a place for anything', () => {
    const ranges = [
      [],
      [7],
      [0, 0],
      [-1e308, 1e308],
      [5e-324, 1e308],
      [1e15, 1e15 + 1]
    ];
    for (const values of ranges) {
      const found = scale(values);
      expect(ticks(found).length).toBeLessThanOrEqual(3);
      for (const value of [...values, ...ticks(found)]) {
        expect(part(found, value)).toBeGreaterThanOrEqual(0);
        expect(part(found, value)).toBeLessThanOrEqual(1);
      }
    }
  });

  it('write numbers as short as they can be read', () => {
    const values = [0, 0.31, 12345, 2.5e6, 3e-5, -0.5, 'nan', null];
    expect(values.map(written)).toEqual(
      '0 0.31 12345 2.5e6 3e-5 -0.5 nan –'.split(' ')
    );
  });
});

describe('charts', () => {
  it('are images that say what they show', () => {
    show(<Charts charts={[chart('loss', { '': LOSS })]} trans={trans} />);
    const svg = host.querySelector('svg[role=img]')!;
    expect(svg.getAttribute('aria-label')).toBe(
      'loss 0.3, from 0.3 to 0.9, by epoch'
    );
    const texts = [...svg.querySelectorAll('text')].map(t => t.textContent);
    expect(texts).toEqual(['0.4', '0.6', '0.8', '2', '4 epoch']);
  });

  it('have a gap where there was no number', () => {
    show(<Charts charts={[chart('loss', { '': LOSS })]} trans={trans} />);
    const path = host.querySelector('.jp-HPCChart-line')!.getAttribute('d')!;
    expect(path.match(/M/g)).toHaveLength(2);
    expect(path).not.toContain('NaN');
  });

  it('say that they are logarithmic', () => {
    const points: IPoints = [
      [1, 1],
      [2, 0.001]
    ];
    show(<Charts charts={[chart('loss', { '': points })]} trans={trans} />);
    expect(host.querySelector('svg')!.getAttribute('aria-label')).toContain(
      'log scale'
    );
    expect(host.textContent).toContain('log scale');
  });

  it('of several tasks have a legend, and lines that differ', () => {
    const lines = { 'task 1': LOSS, 'task 2': LOSS };
    const loss = { ...chart('loss', lines, 'time'), tasks: 2, min: 0, max: 3 };
    show(<Charts charts={[loss]} trans={trans} />);
    expect(host.querySelector('figcaption')!.textContent).toBe(
      'loss 2 tasks, from 0 to 3'
    );
    expect(host.querySelectorAll('.jp-HPCChart-legend li')).toHaveLength(2);
    expect(host.querySelectorAll('svg[role=img] .jp-mod-1')).toHaveLength(1);
    expect(host.textContent).toContain('4 s');
  });

  it('of more tasks than can be told apart are alike, and say whose they are when pointed at', () => {
    const tasks = Array.from({ length: 9 }, (_, i) => [`task ${i}`, LOSS]);
    const loss = { ...chart('loss', Object.fromEntries(tasks)), tasks: 40 };
    show(<Charts charts={[loss]} trans={trans} />);
    expect(host.querySelectorAll('.jp-mod-crowd')).toHaveLength(9);
    expect(host.querySelector('.jp-HPCChart-legend')).toBeNull();
    expect(host.querySelector('path > title')!.textContent).toBe('task 0 0.3');
    expect(host.querySelector('figcaption')!.textContent).toBe(
      'loss 40 tasks (9 drawn)'
    );
  });

  it('are words where there is one value, and are counted where there are many', () => {
    const charts = [1, 2, 3].map(i => chart(`n${i}`, { '': LOSS }));
    charts.push(chart('acc', { '': [[1, 0.93]] }));
    show(<Charts charts={charts} trans={trans} most={2} />);
    expect(host.querySelectorAll('figure')).toHaveLength(2);
    expect(host.textContent).toContain('acc 0.93');
    expect(host.textContent).toContain('and 1 more');
  });

  it('are nothing where nothing was told', () => {
    show(<Charts charts={[]} trans={trans} />);
    expect(host.innerHTML).toBe('');
  });
});

describe('a line in a row', () => {
  it('has its name and last value beside it', () => {
    const metric = { name: 'loss', last: 0.3, trend: [3, 2, 1] };
    show(<Sparkline metric={metric} trans={trans} />);
    expect(host.textContent).toBe('loss 0.3');
    const points = host.querySelector('polyline')!.getAttribute('points')!;
    expect(points.split(' ')).toHaveLength(3);
  });

  it('says of an array that it is the median of its tasks, and from where to where they go', () => {
    const metric = { name: 'loss', last: 0.3, trend: [], tasks: 4 };
    show(<Sparkline metric={{ ...metric, min: 0.1, max: 2 }} trans={trans} />);
    expect(host.textContent).toBe('loss 0.3 median of 4');
    expect(host.querySelector('[title]')!.getAttribute('title')).toBe(
      'median of 4 tasks, from 0.1 to 2'
    );
  });

  it('is words alone for a single value', () => {
    const metric: IMetric = { name: 'acc', last: 'nan', trend: [] };
    show(<Sparkline metric={metric} trans={trans} />);
    expect(host.querySelector('svg')).toBeNull();
    expect(host.textContent).toContain('acc nan');
  });
});

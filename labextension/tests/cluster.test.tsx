import { nullTranslator } from '@jupyterlab/translation';
import { CommandRegistry } from '@lumino/commands';
import * as React from 'react';
import { act } from 'react';
import { createRoot, Root } from 'react-dom/client';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CommandIDs } from '../src/jobs/commandids';
import { HPCApi } from '../src/server/api';
import { ICapacity, ITarget } from '../src/server/types';
import { Cluster } from '../src/sidebar/cluster';
import { nodeWords } from '../src/sidebar/clusternodes';
import { node } from './nodes';

const trans = nullTranslator.load('jupyter_hpc');
const TARGET: ITarget = {
  name: 'slurm',
  backend: 'slurm',
  source: 'built in',
  magic: '%%slurm',
  available: true,
  message: '/etc/slurm/slurm.conf',
  partitions: [],
  gpus: []
};
const CAPACITY: ICapacity = {
  nodes: [
    node('g1', {
      partitions: ['gpu'],
      gpus: { total: 4, free: 2, mine: 1 }
    })
  ],
  queued: [{ partition: 'gpu', jobs: 5, mine: 2 }],
  standing: ['Account physics: used 61 % of what was used lately.'],
  note: ''
};

describe('a node in words', () => {
  const gpus = { total: 4, free: 2, mine: 1 };

  it.each([
    [node('c1', { gpus }), 'c1: 2 of 4 gpus free, 1 yours, 1 others’'],
    [node('c2'), 'c2: 8 of 8 cpus free'],
    [
      node('c3', {
        state: 'drained',
        native_state: 'draining',
        reason: 'disk'
      }),
      'c3: draining: disk'
    ],
    [
      node('me', { cpus: { total: 4, free: 1, mine: null } }),
      'me: 1 of 4 cpus free, 3 in use'
    ],
    [node('k', { gpus: { total: 4, free: null, mine: null } }), 'k: 4 gpus'],
    [
      node('c[1-9]', { count: 9, cpus: { total: 72, free: 72, mine: 0 } }),
      'c[1-9] (9 nodes): 72 of 72 cpus free'
    ]
  ])('%#', (given, words) => {
    expect(nodeWords(given, trans)).toBe(words);
  });
});

describe('the clusters', () => {
  let host: HTMLElement;
  let root: Root;
  let inserted: unknown[];

  beforeEach(() => {
    (globalThis as any).IS_REACT_ACT_ENVIRONMENT = true;
    host = document.body.appendChild(document.createElement('div'));
    root = createRoot(host);
    inserted = [];
  });

  afterEach(() => {
    act(() => root.unmount());
    host.remove();
  });

  async function show(
    targets: ITarget[],
    nodes: (name: string) => Promise<ICapacity> = async () => CAPACITY
  ): Promise<void> {
    const api = { targets: async () => targets, nodes } as unknown as HPCApi;
    const commands = new CommandRegistry();
    commands.addCommand(CommandIDs.insert, {
      describedBy: { args: {} },
      execute: args => inserted.push(args.source)
    });
    await act(async () =>
      root.render(<Cluster {...{ api, commands, trans }} />)
    );
  }

  const labelled = (label: string) =>
    host.querySelector<HTMLElement>(`[aria-label="${label}"]`);
  const click = (element: HTMLElement | null) =>
    act(async () => element!.click());

  it('show partitions, what waits, nodes, and how one stands', async () => {
    await show([TARGET]);
    const text = host.textContent;
    expect(text).toContain('1 node, 2 of 4 gpus free');
    expect(text).toContain('5 jobs wait, 2 yours');
    expect(text).toContain('physics: used 61 %');
    expect(labelled('g1: 2 of 4 gpus free, 1 yours, 1 others’')).not.toBeNull();
  });

  it('say where a cluster is found to whoever asks for it only', async () => {
    await show([TARGET]);
    expect(host.textContent).not.toContain('slurm.conf');
    expect(host.querySelector('h3')!.title).toBe('/etc/slurm/slurm.conf');
  });

  it('offer a node’s options, which a new cell takes, and Escape closes', async () => {
    await show([TARGET]);
    const tile = labelled('g1: 2 of 4 gpus free, 1 yours, 1 others’');
    await click(tile);
    expect(tile!.getAttribute('aria-expanded')).toBe('true');
    const line = '%%slurm --partition gpu --gpus 1';
    await click(labelled(`New cell with ${line}`));
    expect(inserted).toEqual([`${line}\n`]);
    const key = new KeyboardEvent('keydown', { key: 'Escape', bubbles: true });
    await act(async () => {
      labelled(`Copy ${line}`)!.dispatchEvent(key);
    });
    expect(labelled(`Copy ${line}`)).toBeNull();
    expect(document.activeElement).toBe(tile);
  });

  it('say quietly what nobody set up, and aloud what was', async () => {
    const away = { ...TARGET, available: false, message: 'no answer' };
    await show([
      TARGET,
      { ...away, name: 'k8s' },
      { ...away, name: 'big', source: 'jupyter_hpc_config.py' }
    ]);
    expect(host.querySelector('summary')!.textContent).toBe(
      'not set up here: k8s'
    );
    expect(labelled('k8s')).toBeNull();
    expect(labelled('big')!.textContent).toContain('doesn’t answer');
  });

  it('show what is known where the nodes can’t be asked', async () => {
    await show([TARGET], async () => {
      throw new Error('slurm gave no answer in time.');
    });
    expect(host.textContent).toContain('slurm gave no answer in time.');
  });

  it('draw no more than some paths for each of very many tiles', async () => {
    const nodes = Array.from({ length: 120 }, (_, i) =>
      node(`c${i}`, { cpus: { total: 128, free: 60, mine: 4 } })
    );
    await show([TARGET], async () => ({ ...CAPACITY, nodes }));
    const tiles = host.querySelectorAll('.jp-HPCCluster-tiles svg path');
    expect(tiles.length).toBe(120 * 3 * 2);
  });
});

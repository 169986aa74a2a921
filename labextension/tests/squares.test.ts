// @vitest-environment node
import { describe, expect, it } from 'vitest';
import { ICapacity, INodes } from '../src/server/types';
import {
  MOST,
  optionsOfNode,
  optionsOfPart,
  partitionsOf,
  pathOf,
  signOf,
  sizeOf,
  squaresOf
} from '../src/sidebar/squares';
import { node } from './nodes';

const counted = (given: INodes) => {
  const found: { [holder: string]: number } = {};
  for (const holder of squaresOf(given).holders) {
    found[holder] = (found[holder] ?? 0) + 1;
  }
  return found;
};

describe('the squares of a node', () => {
  it('are one for each gpu: mine, others’, free', () => {
    const { holders, unit, each } = squaresOf(
      node('g1', { gpus: { total: 4, free: 2, mine: 1 } })
    );
    expect(holders).toEqual(['mine', 'others', 'free', 'free']);
    expect([unit, each]).toEqual(['gpus', 1]);
  });

  it('are its cpus where there is no gpu, several to a square', () => {
    const given = node('c1', { cpus: { total: 128, free: 64, mine: 1 } });
    expect(squaresOf(given)).toMatchObject({ unit: 'cpus', each: 8 });
    expect(counted(given)).toEqual({ mine: 1, others: 7, free: 8 });
  });

  it.each([
    [1000, 999, 1],
    [1000, 1, 1],
    [96, 0, 95],
    [17, 5, 5],
    [256, 128, 3]
  ])(
    'are never more than fit, and hide nobody: %d, %d free',
    (total, free, mine) => {
      const given = node('c', { cpus: { total, free, mine } });
      expect(squaresOf(given).holders.length).toBe(MOST);
      const found = counted(given);
      expect(found.mine).toBeGreaterThan(0);
      expect(Boolean(found.free)).toBe(free > 0);
      expect(Boolean(found.others)).toBe(total > free + mine);
    }
  );

  it('are away on a node that takes no jobs, but for one’s own', () => {
    const gpus = { total: 4, free: 0, mine: 1 };
    expect(counted(node('g1', { state: 'drained', gpus }))).toEqual({
      mine: 1,
      away: 3
    });
  });

  it('say nothing of what may not be seen', () => {
    const gpus = { total: 4, free: null, mine: null };
    expect(counted(node('g1', { gpus }))).toEqual({ unseen: 4 });
  });

  it('are none where there is nothing', () => {
    const cpus = { total: 0, free: 0, mine: 0 };
    expect(squaresOf(node('x', { cpus })).holders).toEqual([]);
    expect(sizeOf([])).toEqual({ width: 0, height: 0 });
  });
});

it('squares stand in rows of eight', () => {
  const holders = Array(9).fill('free');
  expect(sizeOf(holders)).toEqual({ width: 78, height: 18 });
  expect(pathOf(['free', 'mine'], 'mine')).toBe('M10.5 0.5h7v7h-7z');
});

it('each kind has a sign of its own, but what is free', () => {
  const signs = (['free', 'mine', 'others', 'away', 'unseen'] as const).map(
    each => signOf([each], each)
  );
  expect(new Set(signs).size).toBe(5);
  expect(signs[0]).toBe('');
});

describe('options', () => {
  it('of a node name its partitions, and a gpu of its type', () => {
    const gpus = { total: 4, free: 2, mine: 0 };
    const given = node('g1', {
      partitions: ['debug', 'gpu'],
      gpu_type: 'a100',
      gpus
    });
    expect(optionsOfNode(given)).toEqual([
      '--partition debug --gpus a100:1',
      '--partition gpu --gpus a100:1'
    ]);
  });

  it('of a node without gpus name the cpus that one of them has free', () => {
    const cpus = { total: 32, free: 12, mine: 0 };
    const given = node('c[1-2]', { count: 2, partitions: ['cpu'], cpus });
    expect(optionsOfNode(given)).toEqual(['--partition cpu --cpus 6']);
  });

  it('of a node elsewhere are its gpus, or nothing', () => {
    const gpus = { total: 1, free: 1, mine: 0 };
    expect(optionsOfNode(node('k', { gpus }))).toEqual(['--gpus 1']);
    const cpus = { total: 1, free: 0, mine: null };
    expect(optionsOfNode(node('here', { cpus }))).toEqual(['']);
  });
});

it('partitions sum up their nodes and what waits for them', () => {
  const capacity: ICapacity = {
    nodes: [
      node('g1', {
        partitions: ['debug', 'gpu'],
        gpu_type: 'a100',
        gpus: { total: 4, free: 1, mine: 1 }
      }),
      node('g2', {
        partitions: ['gpu'],
        gpu_type: 'h100',
        gpus: { total: 2, free: 2, mine: 0 }
      }),
      node('c[1-3]', {
        count: 3,
        state: 'down',
        partitions: ['cpu'],
        cpus: { total: 24, free: 0, mine: 0 }
      })
    ],
    queued: [{ partition: 'gpu', jobs: 5, mine: 2 }],
    standing: [],
    note: ''
  };
  const [debug, gpu, cpu] = partitionsOf(capacity);
  expect(debug).toMatchObject({ name: 'debug', nodes: 1, total: 4, free: 1 });
  expect(gpu).toMatchObject({ nodes: 2, total: 6, free: 3, jobs: 5, mine: 2 });
  expect(cpu).toMatchObject({ nodes: 3, unit: 'cpus', total: 24, free: 0 });
  expect(optionsOfPart(gpu)).toEqual([
    '--partition gpu --gpus a100:1',
    '--partition gpu --gpus h100:1'
  ]);
  expect(optionsOfPart(cpu)).toEqual(['--partition cpu']);
});

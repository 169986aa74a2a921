import { describe, expect, it } from 'vitest';
import { existing, reached, ROW_PX, showing } from '../src/parts/scrolling';

describe('the rows that exist', () => {
  it('are those that are seen and some on both sides', () => {
    const [first, last] = existing(100 * ROW_PX, 10 * ROW_PX, 10000);
    expect([first, last]).toEqual([92, 118]);
  });

  it('are no more than there are', () => {
    expect(existing(0, 600, 3)).toEqual([0, 3]);
    expect(existing(0, 600, 0)).toEqual([0, 0]);
  });

  it('hold a row that is seen in part', () => {
    const [first, last] = existing(ROW_PX * 50.5, ROW_PX * 2, 10000);
    expect(first).toBeLessThanOrEqual(50);
    expect(last).toBeGreaterThan(52);
  });
});

describe('a key', () => {
  const height = 10 * ROW_PX;

  it.each([
    ['ArrowDown', 5, 6],
    ['ArrowUp', 5, 4],
    ['PageDown', 5, 14],
    ['PageUp', 50, 41],
    ['Home', 50, 0],
    ['End', 50, 99],
    ['ArrowUp', 0, 0],
    ['ArrowDown', 99, 99],
    ['PageUp', 3, 0],
    ['Enter', 5, undefined]
  ])('%s leads from row %d to %s', (key, from, to) => {
    expect(reached(key, from, 100, height)).toBe(to);
  });
});

describe('a row is shown whole', () => {
  it('by as little scrolling as that takes', () => {
    expect(showing(3, 0, 10 * ROW_PX)).toBe(0);
    expect(showing(10, 0, 10 * ROW_PX)).toBe(ROW_PX);
    expect(showing(3, 5 * ROW_PX, 10 * ROW_PX)).toBe(3 * ROW_PX);
  });
});

import { describe, expect, it } from 'vitest';
import { byteTicks, ticks, timeTicks } from '../src/job/axes';
import { linesOf } from '../src/job/code';
import { command } from '../src/job/script';
import { ending } from '../src/job/tail';

describe('code', () => {
  it('is cut into lines, also within a piece', () => {
    const host = document.createElement('div');
    host.innerHTML =
      '<span class="k">def</span> f():\n<span class="s">"""a\nb"""</span>\n\n1\n';
    expect(linesOf(host)).toEqual([
      [
        ['def', 'k'],
        [' f():', '']
      ],
      [['"""a', 's']],
      [['b"""', 's']],
      [],
      [['1', '']]
    ]);
  });

  it('of a command is what a shell takes', () => {
    expect(command(['sbatch', '--time=0-00:10:00', "it's", '$HOME'])).toBe(
      "sbatch \\\n  --time=0-00:10:00 \\\n  'it'\\''s' \\\n  '$HOME'"
    );
  });
});

describe('the end of a log', () => {
  it('has whole lines, and not many', () => {
    expect(ending('alf a line\nb\nc\n\n', true)).toBe('b\nc');
    expect(ending('a\nb', false)).toBe('a\nb');
    expect(ending('a long line without an end', true)).toBe(
      'a long line without an end'
    );
    expect(ending('x\n'.repeat(500), false).split('\n').length).toBe(16);
  });
});

describe('axes', () => {
  it('have round numbers', () => {
    expect(ticks(1)).toEqual([0, 0.5, 1]);
    expect(ticks(7.3)).toEqual([0, 5, 10]);
    expect(ticks(0)).toEqual([0, 1]);
  });

  it('have bytes that are round in their unit', () => {
    expect(byteTicks(3 * 1024 ** 3)).toEqual(
      [0, 1, 2, 3].map(n => n * 1024 ** 3)
    );
    expect(byteTicks(700 * 1024 ** 2).map(n => n / 1024 ** 2)).toEqual([
      0, 500, 1000
    ]);
  });

  it('have times as clocks have them', () => {
    expect(timeTicks(100)).toEqual([0, 30, 60, 90]);
    expect(timeTicks(5 * 3600)).toEqual([0, 7200, 14400]);
    expect(timeTicks(0.5)).toEqual([0]);
    expect(timeTicks(30 * 86400).length).toBeLessThan(6);
  });
});

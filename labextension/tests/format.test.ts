import { nullTranslator } from '@jupyterlab/translation';
import { describe, expect, it, vi } from 'vitest';
import * as format from '../src/jobs/format';
import { job } from './jobs';

const trans = nullTranslator.load('jupyter_hpc');

describe('duration', () => {
  it.each([
    [-3, '0 s'],
    [0, '0 s'],
    [0.24, '0.2 s'],
    [4, '4 s'],
    [9.96, '10 s'],
    [59.4, '59 s'],
    [59.6, '1 min'],
    [61, '1 min 1 s'],
    [3599, '59 min 59 s'],
    [3600, '1 h'],
    [3900, '1 h 5 min'],
    [86400, '1 d'],
    [90000, '1 d 1 h']
  ])('%d s is %s', (seconds, words) => {
    expect(format.duration(seconds)).toBe(words);
  });
});

describe('size', () => {
  it.each([
    [0, '0 B'],
    [1023, '1023 B'],
    [1024, '1 KiB'],
    [1536, '1.5 KiB'],
    [136500, '133.3 KiB'],
    [1048575, '1 MiB'],
    [20 * 1024, '20 KiB'],
    [100 * 1024, '100 KiB'],
    [1024 ** 3, '1 GiB'],
    [5000 * 1024 ** 4, '5000 TiB']
  ])('%d bytes are %s', (bytes, words) => {
    expect(format.size(bytes)).toBe(words);
  });
});

describe('a time limit', () => {
  const live = { ...job('a'), started_at: Date.now() / 1000 - 5 };
  it('is that of each task, and says nothing of an array', () => {
    expect(format.times({ ...live, time_limit_s: 20 }, trans)).toMatch(
      / of 20 s$/
    );
    const array = { ...live, time_limit_s: 20, tasks: 9 };
    expect(format.times(array, trans)).not.toContain('of');
    expect(format.limitOf(array)).toBeNull();
  });

  it('is over with its job', () => {
    expect(
      format.limitOf({ ...job('a', 'FAILED'), time_limit_s: 20 })
    ).toBeNull();
  });
});

describe('a state', () => {
  it('is live until it is final', () => {
    const live = ['SUBMITTING', 'PENDING', 'RUNNING'];
    expect(live.every(state => format.isLive({ state }))).toBe(true);
    expect(format.isLive({ state: 'COMPLETED' })).toBe(false);
  });

  it('has a sign, a look and words, also one that is not known here', () => {
    expect(format.sign('COMPLETED')).toBe('✓');
    expect(format.look('SUBMITTING')).toBe('waiting');
    expect(format.words('OUT_OF_MEMORY', trans)).toBe('out of memory');
    expect(format.sign('BOOT_FAIL')).toBe('✗');
    expect(format.look('BOOT_FAIL')).toBe('bad');
    expect(format.words('BOOT_FAIL', trans)).toBe('boot fail');
  });
});

describe('times', () => {
  const begun = { ...job('a'), started_at: 1000, time_limit_s: 3600 };

  it('are those of limit and run while it runs', () => {
    const clock = vi.spyOn(Date, 'now').mockReturnValue(1_120_000);
    expect(format.times(begun, trans)).toBe('2 min of 1 h');
    clock.mockRestore();
  });

  it('are what it took when it has ended', () => {
    const done = { ...begun, state: 'COMPLETED' as const, ended_at: 1090 };
    expect(format.times(done, trans)).toBe('1 min 30 s');
  });

  it('pass by whole seconds, and end with tenths', () => {
    const now = Date.now() / 1000;
    const running = { ...job('a'), started_at: now - 3.3 };
    expect(format.lasted(running)).toBe('3 s');
    const done = {
      ...job('a', 'COMPLETED'),
      started_at: 1000,
      ended_at: 1003.3
    };
    expect(format.lasted(done)).toBe('3.3 s');
  });

  it('are since when it waits before it starts', () => {
    const waits = { ...job('a'), started_at: null, created: 1000 };
    expect(format.times(waits, trans)).toBe(
      `since ${format.when(1000, trans)}`
    );
    expect(format.times({ ...waits, created: null }, trans)).toBe('');
  });
});

describe('gpus', () => {
  it('have a type, or are counted', () => {
    const some = { ...job('a'), gpus: 2 };
    expect(format.gpus(job('a'), trans)).toBe('');
    expect(format.gpus({ ...some, gpu_type: 'a100' }, trans)).toBe(
      '2 a100 gpus'
    );
    expect(format.gpus(some, trans)).toBe('2 gpus');
    expect(format.gpus({ ...some, gpus: 1 }, trans)).toBe('1 gpu');
  });
});

it('a time of day has twenty-four hours, whatever the browser’s language', () => {
  expect(format.clock(new Date(2026, 10, 12, 19, 2, 5))).toBe('19:02');
  expect(format.clock(new Date(2026, 10, 12, 0, 5))).toBe('00:05');
});

describe('a moment', () => {
  const now = new Date(2026, 10, 12, 14, 30);
  const time = (date: Date) => date.toTimeString().slice(0, 5);
  const day = (date: Date) => date.toLocaleDateString([], { weekday: 'short' });
  const when = (date: Date) => format.when(date.getTime() / 1000, trans, now);

  it('of today is the time of day', () => {
    const then = new Date(2026, 10, 12, 0, 5);
    expect(when(then)).toBe(`today ${time(then)}`);
  });

  it('of the six days before is the day of the week and the time', () => {
    for (const then of [
      new Date(2026, 10, 11, 23, 59),
      new Date(2026, 10, 6, 14, 5)
    ]) {
      expect(when(then)).toBe(`${day(then)} ${time(then)}`);
    }
  });

  it('of before that is the date, with the year if it is another', () => {
    expect(when(new Date(2026, 10, 5, 23, 59))).toBe('5 Nov');
    expect(when(new Date(2025, 10, 12))).toBe('12 Nov 2025');
  });

  it('whole has the zone, and is the same moment', () => {
    const seconds = 1762951809;
    expect(format.iso(seconds)).toMatch(/T\d\d:\d\d:09[+-]\d\d:\d\d$/);
    expect(Date.parse(format.iso(seconds))).toBe(seconds * 1000);
  });
});

it('a process here is called by its number', () => {
  const local = { ...job('a'), backend: 'local', native_id: '789.645146' };
  expect(format.native(local)).toBe('789');
  expect(format.native({ ...job('a'), native_id: 'ns/a.b' })).toBe('ns/a.b');
});

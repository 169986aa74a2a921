import { describe, expect, it } from 'vitest';
import { ahead, holds, kept, pagesOf } from '../src/jobs/paging';
import { job } from './jobs';

describe('the rows to have', () => {
  it('are also the next where it is scrolled to', () => {
    expect(ahead([0, 26], [7, 33])).toEqual([7, 58]);
    expect(ahead([107, 133], [100, 126])).toEqual([75, 126]);
    expect(ahead([10, 36], [3, 29])).toEqual([0, 29]);
  });

  it('are those alone that are seen after a jump, and where nothing moves', () => {
    expect(ahead([0, 26], [5000, 5026])).toEqual([5000, 5026]);
    expect(ahead([50, 76], [50, 80])).toEqual([50, 80]);
  });

  it('are here, or asked for by whole pages', () => {
    expect(holds([100, 200], [120, 200], 1000)).toBe(true);
    expect(holds([100, 200], [120, 201], 1000)).toBe(false);
    expect(holds([100, 200], [99, 150], 1000)).toBe(false);
    expect(holds([100, 130], [110, 150], 130)).toBe(true); // there are no more
    expect(pagesOf([120, 201])).toEqual([100, 200]);
    expect(pagesOf([0, 0])).toEqual([0, 100]);
    expect(pagesOf([1000, 2000])).toEqual([1000, 500]);
  });
});

describe('a row that comes again', () => {
  it('is the one that is here while it says the same', () => {
    const here = job('a', 'COMPLETED');
    expect(kept(here, { ...here })).toBe(here);
    const failed = job('a', 'FAILED');
    expect(kept(here, failed)).toBe(failed);
    expect(kept(undefined, here)).toBe(here);
    const heading = { heading: 'slurm', count: 3 };
    expect(kept(heading, { ...heading })).toBe(heading);
  });

  it('is a new one while the job lives: its time goes on', () => {
    const here = job('a', 'RUNNING');
    const came = { ...here };
    expect(kept(here, came)).toBe(came);
  });
});

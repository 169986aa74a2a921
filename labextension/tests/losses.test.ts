import { nullTranslator } from '@jupyterlab/translation';
import { describe, expect, it } from 'vitest';
import { actClasses, actsOf } from '../src/jobs/acts';
import { losses } from '../src/jobs/losses';
import { IJob } from '../src/server/types';
import { job, whole } from './jobs';

const trans = nullTranslator.load('jupyter_hpc');
const said = (changes: object, state: IJob['state'] = 'RUNNING') =>
  losses({ ...whole('a', state), ...changes }, trans, 2000).join(' ');

describe('what cancelling takes away', () => {
  it('of a job that runs is what it computed', () => {
    const words = said({ started_at: 1001 });
    expect(words).toContain('run for 16 min 39 s');
    expect(words).toContain('lost');
    expect(words).not.toContain('queue');
  });

  it('of one that waits is its place', () => {
    const words = said({ started_at: null, created: 1880 }, 'PENDING');
    expect(words).toContain('place in the queue');
    expect(words).toContain('2 min');
    expect(words).not.toContain('computed');
    expect(said({ started_at: null, created: null }, 'PENDING')).toContain(
      'place in the queue'
    );
  });

  it('of an array is told by how many tasks', () => {
    const task = (state: IJob['state'], i: number) => ({
      id: `a_${i}`,
      task: i,
      state,
      reason: ''
    });
    const states: IJob['state'][] = [
      'RUNNING',
      'RUNNING',
      'PENDING',
      'COMPLETED'
    ];
    const words = said({ array_tasks: states.map(task) });
    expect(words).toContain('2 of 4 tasks run');
    expect(words).toContain('1 has not started');
    expect(words).toContain('1 has ended');
    expect(said({ array_tasks: [task('PENDING', 1)] }, 'PENDING')).toBe(
      '1 has not started: its place in the queue is lost.'
    );
  });
});

describe('what may be done', () => {
  it('with ours is to cancel it while it lives', () => {
    expect(actsOf(job('a'))).toEqual(['cancel']);
    expect(actsOf(job('a', 'FAILED'))).toEqual([]);
  });

  it('with another of the user is what the server says', () => {
    const other: IJob = {
      ...job('a'),
      foreign: true,
      acts: ['cancel', 'hold']
    };
    expect(actClasses(other)).toBe(' jp-mod-can-cancel jp-mod-can-hold');
    expect(actsOf({ ...other, acts: [] })).toEqual([]);
  });
});

import { TranslationBundle } from '@jupyterlab/translation';
import { IJobDetail } from '../server/types';
import { duration, elapsed } from './format';

/** What cancelling a job takes away, as it stands: a sentence or two. */
export function losses(
  job: IJobDetail,
  trans: TranslationBundle,
  now = Date.now() / 1000
): string[] {
  const states = job.array_tasks.map(task => task.state);
  if (states.length) {
    return ofArray(states, trans);
  }
  const took = job.state === 'RUNNING' ? elapsed(job, now) : null;
  if (took !== null) {
    return [
      trans.__(
        'It has run for %1: what it computed since is lost.',
        duration(Math.floor(took))
      ),
      stays(trans)
    ];
  }
  if (job.state === 'RUNNING') {
    return [trans.__('It runs: what it computed is lost.'), stays(trans)];
  }
  const waited = job.created ? duration(Math.floor(now - job.created)) : '';
  return waited
    ? [
        trans.__(
          'It has not started: its place in the queue, where it has waited for %1, is lost.',
          waited
        )
      ]
    : [trans.__('It has not started: its place in the queue is lost.')];
}

function stays(trans: TranslationBundle): string {
  return trans.__('What it printed and the files that it wrote stay.');
}

function ofArray(states: string[], trans: TranslationBundle): string[] {
  const count = (...wanted: string[]) =>
    states.filter(state => wanted.includes(state)).length;
  const running = count('RUNNING');
  const waiting = count('PENDING', 'SUBMITTING');
  const ended = states.length - running - waiting;
  const found = [
    running
      ? trans._n(
          '%1 of %2 tasks runs: what it computed is lost.',
          '%1 of %2 tasks run: what they computed is lost.',
          running,
          states.length
        )
      : '',
    waiting
      ? trans._n(
          '%1 has not started: its place in the queue is lost.',
          '%1 have not started: their places in the queue are lost.',
          waiting
        )
      : '',
    ended
      ? trans._n(
          '%1 has ended: what it made stays.',
          '%1 have ended: what they made stays.',
          ended
        )
      : ''
  ];
  return found.filter(each => each);
}

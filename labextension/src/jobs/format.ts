import { TranslationBundle } from '@jupyterlab/translation';
import { IJob } from '../server/types';

/** The sign of a state; the word always stands beside it. */
export function sign(state: string): string {
  switch (state) {
    case 'RUNNING':
      return '▶';
    case 'PENDING':
      return '◷';
    case 'SUBMITTING':
      return '↑';
    case 'COMPLETED':
      return '✓';
    case 'CANCELLED':
      return '⊘';
    default:
      return '✗';
  }
}

/** One of five looks, for style sheets. */
export function look(state: string): string {
  switch (state) {
    case 'RUNNING':
      return 'running';
    case 'PENDING':
    case 'SUBMITTING':
      return 'waiting';
    case 'COMPLETED':
      return 'good';
    case 'CANCELLED':
      return 'quiet';
    default:
      return 'bad';
  }
}

export function isLive(job: { state: string }): boolean {
  return ['RUNNING', 'PENDING', 'SUBMITTING'].includes(job.state);
}

/** `OUT_OF_MEMORY` as a person reads it. */
export function words(state: string, trans: TranslationBundle): string {
  const known: { [state: string]: string } = {
    SUBMITTING: trans.__('submitting'),
    PENDING: trans.__('pending'),
    RUNNING: trans.__('running'),
    COMPLETED: trans.__('completed'),
    FAILED: trans.__('failed'),
    CANCELLED: trans.__('cancelled'),
    TIMEOUT: trans.__('timed out'),
    OUT_OF_MEMORY: trans.__('out of memory'),
    NODE_FAIL: trans.__('node failed'),
    PREEMPTED: trans.__('preempted'),
    LOST: trans.__('lost')
  };
  return known[state] ?? state.toLowerCase().replace(/_/g, ' ');
}

/** `1 h 5 min`, `12 s`, `0.8 s`: the two largest units, as Python's views have them. */
export function duration(seconds: number): string {
  const tenths = Math.round(Math.max(0, seconds) * 10);
  if (tenths < 100) {
    return `${tenths / 10} s`;
  }
  const grain = seconds >= 86400 ? 3600 : seconds >= 3600 ? 60 : 1;
  let left = Math.round(seconds / grain) * grain;
  const units: [number, string][] = [
    [86400, 'd'],
    [3600, 'h'],
    [60, 'min'],
    [1, 's']
  ];
  const parts = [];
  for (const [unit, name] of units) {
    const count = Math.floor(left / unit);
    left -= count * unit;
    if (count) {
      parts.push(`${count} ${name}`);
    }
  }
  return parts.join(' ');
}

// made once: to make one takes longer than a row
const TIME = new Intl.DateTimeFormat([], {
  hour: '2-digit',
  minute: '2-digit',
  hourCycle: 'h23'
});
const WEEKDAY = new Intl.DateTimeFormat([], { weekday: 'short' });
const MONTH = new Intl.DateTimeFormat([], { month: 'short' });

/** A time of day, wherever one stands: `14:05`. */
export function clock(then: Date): string {
  return TIME.format(then);
}

/** A day by its name, its date or both, in the order in which Python's views have them: `Mon 12 Nov`. */
export function day(then: Date, ...parts: ('weekday' | 'date')[]): string {
  const words = {
    weekday: () => WEEKDAY.format(then),
    date: () => `${then.getDate()} ${MONTH.format(then)}`
  };
  return parts.map(part => words[part]()).join(' ');
}

/** A moment in the fewest words that tell it: `today 14:05`, `Mon 14:05`, `12 Nov`. */
export function when(
  seconds: number,
  trans: TranslationBundle,
  now = new Date()
): string {
  const then = new Date(seconds * 1000);
  const midnight = (date: Date) =>
    Date.UTC(date.getFullYear(), date.getMonth(), date.getDate());
  const days = Math.round((midnight(now) - midnight(then)) / 86400000);
  if (days === 0) {
    return trans.__('today %1', clock(then));
  }
  if (days > 0 && days < 7) {
    return `${day(then, 'weekday')} ${clock(then)}`;
  }
  const isThisYear = then.getFullYear() === now.getFullYear();
  return isThisYear
    ? day(then, 'date')
    : `${day(then, 'date')} ${then.getFullYear()}`;
}

/** The same moment whole, with the offset of the local zone: `2026-11-12T14:05:09+01:00`. */
export function iso(seconds: number): string {
  const then = new Date(seconds * 1000);
  const offset = -then.getTimezoneOffset();
  const local = new Date(then.getTime() + offset * 60000);
  const two = (value: number) => String(Math.floor(value)).padStart(2, '0');
  const zone = `${two(Math.abs(offset) / 60)}:${two(Math.abs(offset) % 60)}`;
  return `${local.toISOString().slice(0, 19)}${offset < 0 ? '-' : '+'}${zone}`;
}

/** `133.3 KiB`: one decimal at most, as Python's views have it. */
export function size(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let tenths = Math.round(bytes * 10);
  let unit = 0;
  while (tenths >= 10240 && unit < units.length - 1) {
    unit += 1;
    tenths = Math.round((bytes * 10) / 1024 ** unit);
  }
  return `${tenths / 10} ${units[unit]}`;
}

/** Seconds that a job has run or ran; null before it starts. */
export function elapsed(job: IJob, now = Date.now() / 1000): number | null {
  return job.started_at === null
    ? null
    : Math.max(0, (job.ended_at ?? now) - job.started_at);
}

/** How long a job has run, in whole seconds as they pass, or how long it ran; empty before it starts. */
export function lasted(job: IJob): string {
  const took = elapsed(job);
  if (took === null) {
    return '';
  }
  return duration(isLive(job) ? Math.floor(took) : took);
}

/** What people call a job at its scheduler; of a process here what follows the dot is when it started. */
export function native(job: IJob): string {
  return job.backend === 'local' ? job.native_id.split('.')[0] : job.native_id;
}

/** A job in a few words: where it runs and on what. */
export function place(job: IJob, trans: TranslationBundle): string[] {
  return [
    [job.target, native(job)].join(' ').trim(),
    job.node,
    gpus(job, trans)
  ];
}

/** What stands at the end of a row: time of limit, or when it was submitted. */
export function times(job: IJob, trans: TranslationBundle): string {
  const took = lasted(job);
  if (!took) {
    return job.created ? trans.__('since %1', when(job.created, trans)) : '';
  }
  const limit = limitOf(job);
  if (limit) {
    return trans.__('%1 of %2', took, duration(limit));
  }
  return took;
}

/** The seconds that a live job may take; of an array they are each task's, and say nothing of all of them. */
export function limitOf(job: IJob): number | null {
  return isLive(job) && !job.tasks ? job.time_limit_s : null;
}

/** `2 gpus`, `1 a100 gpu`: as Python's views say it. */
export function gpus(job: IJob, trans: TranslationBundle): string {
  const { gpus: count, gpu_type: type } = job;
  if (!count) {
    return '';
  }
  return type
    ? trans._n('%1 %2 gpu', '%1 %2 gpus', count, type)
    : trans._n('%1 gpu', '%1 gpus', count);
}

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

/** `1 h 05 min`, `12 s`: the two largest units. */
export function duration(seconds: number): string {
  const s = Math.max(0, Math.round(seconds));
  if (s < 60) {
    return `${s} s`;
  }
  const two = (large: number, a: string, small: number, b: string) =>
    small ? `${large} ${a} ${small} ${b}` : `${large} ${a}`;
  if (s < 3600) {
    return two(Math.floor(s / 60), 'min', s % 60, 's');
  }
  if (s < 86400) {
    const minutes = Math.floor((s % 3600) / 60);
    return two(Math.floor(s / 3600), 'h', minutes, 'min');
  }
  return two(Math.floor(s / 86400), 'd', Math.floor((s % 86400) / 3600), 'h');
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

export function size(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${unit && value < 100 ? value.toFixed(1).replace('.0', '') : Math.round(value)} ${units[unit]}`;
}

/** Seconds that a job has run or ran; null before it starts. */
export function elapsed(job: IJob, now = Date.now() / 1000): number | null {
  return job.started_at === null
    ? null
    : Math.max(0, (job.ended_at ?? now) - job.started_at);
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
  const took = elapsed(job);
  if (took === null) {
    return job.created ? trans.__('since %1', when(job.created, trans)) : '';
  }
  if (job.time_limit_s && isLive(job)) {
    return trans.__('%1 of %2', duration(took), duration(job.time_limit_s));
  }
  return duration(took);
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

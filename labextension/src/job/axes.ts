import { duration, size } from '../jobs/format';

const TIMES = [
  ...[1, 2, 5, 10, 15, 30],
  ...[1, 2, 5, 10, 15, 30].map(n => n * 60),
  ...[1, 2, 3, 6, 12, 24, 48].map(n => n * 3600)
];

/** Round numbers from 0 on that reach a value, about so many. */
export function ticks(most: number, count = 3): number[] {
  const raw = most / count || 1;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].find(n => n * power >= raw * 0.999)! * power;
  return upTo(most, step);
}

/** The same for bytes, round in their unit. */
export function byteTicks(most: number, count = 3): number[] {
  const unit = 1024 ** Math.max(0, Math.floor(Math.log2(most || 1) / 10));
  return ticks(most / unit, count).map(n => n * unit);
}

/** The same for seconds, round as clocks are. */
export function timeTicks(most: number, count = 4): number[] {
  const day = 86400;
  const step =
    TIMES.find(n => n * count >= most) ?? Math.ceil(most / count / day) * day;
  return upTo(most, step).filter(n => n <= most);
}

function upTo(most: number, step: number): number[] {
  const end = Math.ceil(most / step - 1e-9) || 1;
  return Array.from({ length: end + 1 }, (_, i) => i * step);
}

/** `1.5 GiB`, and `0` without a unit. */
export function bytes(value: number): string {
  return value ? size(value) : '0';
}

/** `2 min`, and `0` without a unit. */
export function seconds(value: number): string {
  return value ? duration(value) : '0';
}

/** What range a chart shows, where its few ticks stand, and how a number is written: as views/axes.py does. */

const WIDE = 100; // values above nothing that span more than two decades are read on a log scale

export interface IScale {
  low: number;
  high: number;
  isLog: boolean;
}

/** The scale that shows all of some finite values. */
export function scale(values: number[], mayBeLog = true): IScale {
  let [low, high] = values.length ? [values[0], values[0]] : [0, 1];
  for (const value of values) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  if (low === high) {
    const room = Math.abs(low) / 2 || 1;
    return { low: low - room, high: high + room, isLog: false };
  }
  return { low, high, isLog: mayBeLog && low > 0 && high / low > WIDE };
}

/** Where a value stands, from 0 to 1. */
export function part({ low, high, isLog }: IScale, value: number): number {
  const found = isLog
    ? (Math.log(Math.max(value, low)) - Math.log(low)) /
      (Math.log(high) - Math.log(low))
    : (value / 2 - low / 2) / (high / 2 - low / 2);
  return Math.min(Math.max(found, 0), 1);
}

/** Two or three round values. */
export function ticks({ low, high, isLog }: IScale): number[] {
  if (isLog) {
    const first = Math.ceil(Math.log10(low) - 1e-9);
    const last = Math.floor(Math.log10(high) + 1e-9);
    const step = Math.max(Math.ceil((last - first + 1) / 3), 1);
    const count = Math.floor((last - first) / step) + 1;
    return Array.from({ length: count }, (_, i) => 10 ** (first + i * step));
  }
  const size = 10 ** Math.floor(Math.log10(high / 4 - low / 4));
  for (const step of [1, 2, 5, 10, 20, 50].map(n => n * size)) {
    const first = Math.ceil(low / step);
    const count = Math.floor(high / step) - first + 1;
    if (count > 0 && count <= 3) {
      return Array.from({ length: count }, (_, i) =>
        Number(((first + i) * step).toPrecision(12))
      );
    }
  }
  return [low, high];
}

/** A number with three digits, and no more zeros than can be counted. */
export function written(value: number | string | null): string {
  if (value === null || typeof value === 'string') {
    return value ?? '–';
  }
  const size = Math.abs(value);
  if (value === 0 || (size >= 1e-3 && size < 1e6)) {
    return String(
      size >= 1000 ? Math.round(value) : Number(value.toPrecision(3))
    );
  }
  const [mantissa, power] = value.toExponential(2).split('e');
  return `${Number(mantissa)}e${Number(power)}`;
}

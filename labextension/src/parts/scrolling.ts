/** Every row of the list is this high, so that its place follows from its index; a table's rows are less. */
export const ROW_PX = 60;
const SPARE = 8;

/** The rows that exist, from one index to before another: those that are seen, and some on both sides. */
export function existing(
  top: number,
  height: number,
  total: number,
  row = ROW_PX
): [number, number] {
  const first = Math.max(0, Math.floor(top / row) - SPARE);
  const last = Math.min(total, Math.ceil((top + height) / row) + SPARE);
  return [first, last];
}

/** The row that a key leads to; undefined for a key that leads to none. */
export function reached(
  key: string,
  current: number,
  total: number,
  height: number,
  row = ROW_PX
): number | undefined {
  const page = Math.max(1, Math.floor(height / row) - 1);
  const steps: { [key: string]: number } = {
    ArrowDown: current + 1,
    ArrowUp: current - 1,
    PageDown: current + page,
    PageUp: current - page,
    Home: 0,
    End: total - 1
  };
  return key in steps
    ? Math.max(0, Math.min(total - 1, steps[key]))
    : undefined;
}

/** The scroll position that shows a row whole, the nearest to what it is. */
export function showing(
  index: number,
  top: number,
  height: number,
  row = ROW_PX
): number {
  const y = index * row;
  return Math.min(y, Math.max(top, y + row - height));
}

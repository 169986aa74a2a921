import * as React from 'react';

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

/** What of a long list a box shows that is scrolled. */
export interface IWindow {
  /** The rows that exist, from one index to before another. */
  first: number;
  last: number;
  /** The first row that is seen whole. */
  seen: number;
  /** Of the box. */
  height: number;
}

/** The rows of a box that exist; it is drawn anew when these are others, not each time that it is scrolled. */
export function useWindow(
  box: React.RefObject<HTMLElement>,
  total: number,
  row = ROW_PX
): IWindow {
  const [seen, setSeen] = React.useState(0);
  const [height, setHeight] = React.useState(600);
  React.useEffect(() => {
    const element = box.current;
    if (!element) {
      return;
    }
    const look = () => setSeen(Math.ceil(element.scrollTop / row));
    const measure = () => setHeight(element.clientHeight || 600);
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    element.addEventListener('scroll', look, { passive: true });
    return () => {
      observer.disconnect();
      element.removeEventListener('scroll', look);
    };
  }, [row]);
  const [first, last] = existing(seen * row, height, total, row);
  return { first, last, seen, height };
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

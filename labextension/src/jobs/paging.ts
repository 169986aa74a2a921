import { isLive } from './format';
import { IRow } from '../server/types';

export const PAGE = 100;
const MOST = 500; // that a server gives at once
const AHEAD = 25;

/** From one row's index to before another's. */
export type Span = [number, number];

/** The rows to have where some are seen: also the next of those that it is scrolled to, before they are seen. */
export function ahead(before: Span, [first, last]: Span): Span {
  const step = first - before[0];
  if (step === 0 || Math.abs(step) > PAGE) {
    return [first, last]; // a jump says nothing of where it goes on
  }
  return step > 0 ? [first, last + AHEAD] : [Math.max(0, first - AHEAD), last];
}

/** Whether rows that are wanted are among those that are here, as far as there are any. */
export function holds(here: Span, [first, last]: Span, total: number): boolean {
  return first >= here[0] && Math.min(last, total) <= here[1];
}

/** The whole pages that have these rows: where they begin, and how many rows they have. */
export function pagesOf([first, last]: Span): [number, number] {
  const start = Math.floor(first / PAGE) * PAGE;
  const count = Math.ceil((last - start) / PAGE) * PAGE || PAGE;
  return [start, Math.min(MOST, count)];
}

/** A row that came again: the one that is here while it says the same, so that it isn't drawn anew. */
export function kept<Row extends IRow>(here: Row | undefined, came: Row): Row {
  const isStill = 'heading' in came || !isLive(came); // of a live job the time goes on
  return here && isStill && JSON.stringify(here) === JSON.stringify(came)
    ? here
    : came;
}

/** Bytes of a log that are asked for at once. */
export const WINDOW = 64 * 1024;
const MOST_CHUNKS = 24;
const LONGEST_LINE = 4000;

/** A part of a log, from a byte to before another. */
export interface IChunk {
  offset: number;
  next: number;
  text: string;
}

/** Where a chunk goes: in the place of all others, or beside them. */
export type Place = 'only' | 'before' | 'after';

/** The chunks with one more; those that are farthest from it go where there are too many. */
export function placed(
  old: readonly IChunk[],
  chunk: IChunk,
  place: Place
): IChunk[] {
  switch (place) {
    case 'only':
      return [chunk];
    case 'before':
      return old[0]?.offset <= chunk.offset
        ? [...old] // asked for twice
        : [chunk, ...old].slice(0, MOST_CHUNKS);
    case 'after':
      return joined(old, chunk).slice(-MOST_CHUNKS);
  }
}

/** Small additions join the last chunk, so that a following log stays few elements. */
function joined(old: readonly IChunk[], chunk: IChunk): IChunk[] {
  const last = old[old.length - 1];
  if (!last) {
    return [chunk];
  }
  if (last.next !== chunk.offset) {
    return [...old]; // an answer to a question of before
  }
  if (last.text.length < WINDOW) {
    const both = { ...last, next: chunk.next, text: last.text + chunk.text };
    return [...old.slice(0, -1), both];
  }
  return [...old, chunk];
}

/** The text as it is shown: folded, and no line longer than a page can bear. */
export function readable(text: string): string {
  return fold(text)
    .split('\n')
    .map(line =>
      line.length > LONGEST_LINE
        ? `${line.slice(0, LONGEST_LINE)}… (${line.length})`
        : line
    )
    .join('\n');
}

/** Apply carriage returns and backspaces, as a terminal would. */
export function fold(text: string): string {
  if (!/[\r\b]/.test(text)) {
    return text;
  }
  return text
    .replace(/\r\n/g, '\n')
    .split('\n')
    .map(line => {
      let shown = '';
      for (const piece of line.split('\r')) {
        shown =
          piece.length >= shown.length
            ? piece
            : piece + shown.slice(piece.length);
      }
      while (/[^\b][\b]/.test(shown)) {
        shown = shown.replace(/[^\b][\b]/, '');
      }
      return shown;
    })
    .join('\n');
}

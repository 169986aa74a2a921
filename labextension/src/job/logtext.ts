import { Failures, Mark } from './failures';
import { coloured, Row, Screen } from './screen';

/** Bytes of a log that are asked for at once. */
export const WINDOW = 64 * 1024;
const MOST_CHUNKS = 24;

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

/** Lines that are shown in one way: coloured text, a line feed after each. */
export interface ISection {
  mark: Mark;
  text: string;
}

interface IState {
  screen: Screen;
  failures: Failures;
}

/** A chunk as a terminal shows it: the lines that nothing after it changes. */
export interface IRead {
  chunk: IChunk;
  sections: ISection[];
  before: IState;
  after: IState;
}

const NOTHING: IState = { screen: new Screen(), failures: new Failures() };

/** Read chunks in order, each with the terminal as the one before left it; what was read already is read once. */
export function read(
  chunks: readonly IChunk[],
  known: readonly IRead[]
): IRead[] {
  const found: IRead[] = [];
  for (const chunk of chunks) {
    const before = found[found.length - 1]?.after ?? NOTHING;
    const same = known.find(
      each =>
        each.before === before &&
        each.chunk.offset === chunk.offset &&
        each.chunk.text === chunk.text
    );
    found.push(same ?? readOne(chunk, before));
  }
  return found;
}

function readOne(chunk: IChunk, before: IState): IRead {
  const screen = before.screen.copy();
  const failures = before.failures.copy();
  const sections = divided(screen.add(chunk.text), failures);
  return { chunk, sections, before, after: { screen, failures } };
}

/** The lines at the end, which may change. */
export function last(reads: readonly IRead[]): ISection[] {
  const { screen, failures } = reads[reads.length - 1]?.after ?? NOTHING;
  const rows = screen.rows();
  const isBlank = !rows[rows.length - 1].characters.length;
  return divided(isBlank ? rows.slice(0, -1) : rows, failures.copy());
}

/** A whole text with colours, as it stands on a terminal in the end. */
export function readable(text: string): string {
  const screen = new Screen();
  return coloured([...screen.add(text), ...screen.rows()]);
}

/** Neighbouring lines of one kind together. */
function divided(rows: readonly Row[], failures: Failures): ISection[] {
  const groups: { mark: Mark; rows: Row[] }[] = [];
  for (const row of rows) {
    const mark = failures.take(row.text);
    const end = groups[groups.length - 1];
    if (end?.mark === mark) {
      end.rows.push(row);
    } else {
      groups.push({ mark, rows: [row] });
    }
  }
  return groups.map(group => ({
    mark: group.mark,
    text: `${coloured(group.rows)}\n`
  }));
}

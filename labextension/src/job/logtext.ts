/** Bytes of a log that are asked for at once. */
export const WINDOW = 64 * 1024;
const MOST_CHUNKS = 24;
const LONGEST_LINE = 4000;
const ESCAPE = '\x1b';
const COLOUR = /^\x1b\[[0-9;:]*m$/;
// a colour, any other sequence (the clipboard, a link, the cursor), or a control character
const SEQUENCE =
  /(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]|(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x9c\n]*(?:\x07|\x1b\\|\x9c)|\x1b[ -/]*[0-~]|[\x00-\x08\x0b-\x1f\x7f-\x9f]/g;
const TURNS = /[\u2028\u2029\u202a-\u202e\u2066-\u2069]/g; // the direction of the text around it
const PIECE = /\x1b\[[0-?]*[ -/]*[@-~]|[^]/gu;

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
  return inert(fold(text))
    .split('\n')
    .map(line =>
      line.length > LONGEST_LINE
        ? `${line.slice(0, LONGEST_LINE)}… (${line.length})`
        : line
    )
    .join('\n');
}

/** The text with colours and no other sequence; what would turn its direction is shown as text. */
function inert(text: string): string {
  return text
    .replace(SEQUENCE, found => (COLOUR.test(found) ? found : ''))
    .replace(TURNS, found => `\\u${found.charCodeAt(0).toString(16)}`);
}

/** Apply carriage returns, backspaces and erasures of a line, as a terminal would; colours stay with what they colour. */
export function fold(text: string): string {
  if (!/[\r\b]/.test(text)) {
    return text;
  }
  return text
    .replace(/\r\n/g, '\n')
    .split('\n')
    .map(line => (/[\r\b]/.test(line) ? folded(line) : line))
    .join('\n');
}

interface ICell {
  character: string;
  style: string;
}

const BLANK: ICell = { character: ' ', style: '' };

/** A line as it stands in the end; what colours are on at its end go on in the next. */
function folded(line: string): string {
  const cells: ICell[] = [];
  let style = '';
  let at = 0;
  for (const [piece] of line.matchAll(PIECE)) {
    if (piece === '\r') {
      at = 0;
    } else if (piece === '\b') {
      at = Math.max(0, at - 1);
    } else if (!piece.startsWith(ESCAPE)) {
      while (cells.length < at) {
        cells.push(BLANK); // where something was erased
      }
      cells[at++] = { character: piece, style };
    } else if (piece.endsWith('m')) {
      style = styled(style, piece.slice(2, -1));
    } else if (piece.endsWith('K')) {
      erase(cells, at, piece.slice(2, -1));
    }
  }
  let last = '';
  const shown = cells.map(cell => {
    const change = turned(last, cell.style);
    last = cell.style;
    return change + cell.character;
  });
  return shown.join('') + turned(last, style);
}

function erase(cells: ICell[], at: number, which: string): void {
  if (which === '1') {
    cells.fill(BLANK, 0, at + 1);
  } else {
    cells.length = which === '2' ? 0 : Math.min(at, cells.length);
  }
}

/** A style after more codes: one code of each kind, so that it doesn't grow. */
function styled(style: string, codes: string): string {
  const all = new Map<string, string>();
  const numbers = `${style};${codes || '0'}`.split(';');
  for (let i = style ? 0 : 1; i < numbers.length; i++) {
    const number = Number(numbers[i]);
    const parts = [38, 48].includes(number)
      ? numbers.slice(i, i + (numbers[i + 1] === '2' ? 5 : 3)) // a colour by three numbers or by one
      : [numbers[i]];
    if (number === 0) {
      all.clear();
    }
    all.set(kind(number), parts.join(';'));
    i += parts.length - 1;
  }
  return [...all.values()].join(';');
}

/** What a code sets, which another of the same kind undoes. */
function kind(code: number): string {
  if ((code >= 30 && code < 40) || (code >= 90 && code < 98)) {
    return 'colour';
  }
  if ((code >= 40 && code < 50) || (code >= 100 && code < 108)) {
    return 'background';
  }
  return [1, 2, 21, 22].includes(code) ? 'weight' : String(code % 20);
}

/** What turns one style into another. */
function turned(from: string, to: string): string {
  if (from === to) {
    return '';
  }
  return from ? `${ESCAPE}[0;${to}m` : `${ESCAPE}[${to}m`;
}

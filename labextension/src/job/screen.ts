// What stands on a terminal when a job's text has been printed there; the same rules, on the same cases
// (tests/unit/recorded/screen.json), are in jupyter_hpc/views/screen.py.

import { divided, printable, SEQUENCE, Style, styled } from './ansi';

const HEIGHT = 50; // rows that can still change: what has scrolled further stays as it is
const LONGEST = 4000; // of a line
const WIDTH = 500; // how far the cursor moves to the right of what is written
const LONGER = '… (a longer line)';
const TEXT = '(?<text>[^\\x00-\\x08\\x0a-\\x1f\\x7f-\\x9f]+)';
const TOKEN = new RegExp(`${TEXT}|(?<control>[\\n\\r\\b])|${SEQUENCE}`, 'gu');
/** The screen of programs that fill it, apart from what was printed. */
const ALTERNATE = ['?47', '?1047', '?1049'];
const ESCAPE = '\x1b';

/** One line: its characters, and a style for each, or none where all is plain. */
export class Row {
  characters: string[] = [];
  isLonger = false;

  /** Write over what stands there. */
  put(column: number, text: string[], style: Style): void {
    while (this.characters.length < column) {
      this.characters.push(' ');
      this._styles?.push('');
    }
    if (style || this._styles) {
      this._styles ??= this.characters.map(() => '');
      text.forEach((_, i) => (this._styles![column + i] = style));
    }
    text.forEach((each, i) => (this.characters[column + i] = each));
  }

  /** Take characters out, and leave so many blanks instead. */
  cut(begin: number, end: number, blanks = 0): void {
    const count = Math.max(0, end - begin);
    const empty = <T>(value: T) => Array.from({ length: blanks }, () => value);
    this._styles?.splice(begin, count, ...empty(''));
    this.characters.splice(begin, count, ...empty(' '));
    if (end >= this.characters.length) {
      this.isLonger = false;
    }
  }

  get text(): string {
    return this.characters.join('');
  }

  /** The text by pieces of one style; what would act is shown as text. */
  runs(): [string, Style][] {
    const found: [string, Style][] = [];
    const styles = this._styles;
    let begin = 0;
    for (let at = 1; at <= this.characters.length; at++) {
      if (at === this.characters.length || styles?.[at] !== styles?.[begin]) {
        const text = this.characters.slice(begin, at).join('');
        found.push([printable(text), styles?.[begin] ?? '']);
        begin = at;
      }
    }
    return this.isLonger ? [...found, [LONGER, '']] : found;
  }

  copy(): Row {
    const made = new Row();
    made.characters = [...this.characters];
    made._styles = this._styles && [...this._styles];
    made.isLonger = this.isLonger;
    return made;
  }

  private _styles: Style[] | null = null;
}

/** A terminal of unlimited width; each character costs a bounded number of steps, and some rows are kept. */
export class Screen {
  /** Take text; the rows that nothing can change any more. */
  add(text: string): Row[] {
    const [whole, begun] = divided(this._begun + text);
    this._begun = begun;
    const settled: Row[] = [];
    for (const { groups } of whole.matchAll(TOKEN)) {
      this._take(groups!, settled);
    }
    return settled;
  }

  /** The rows that still can change; those below the cursor as far as there is something in them. */
  rows(): Row[] {
    let count = this._rows.length;
    while (count - 1 > this._at && !this._rows[count - 1].characters.length) {
      count--;
    }
    return [...(this._printed?.rows ?? []), ...this._rows.slice(0, count)];
  }

  copy(): Screen {
    const made = new Screen();
    made._rows = this._rows.map(row => row.copy());
    made._at = this._at;
    made._column = this._column;
    made._saved = this._saved;
    made._printed = this._printed && {
      ...this._printed,
      rows: this._printed.rows.map(row => row.copy())
    };
    made._style = this._style;
    made._begun = this._begun;
    return made;
  }

  private _take(token: Record<string, string>, settled: Row[]): void {
    if (token.text) {
      this._put([...token.text]);
    } else if (token.control === '\n' || token.escape === 'E') {
      this._feedLine(settled);
    } else if (token.control) {
      this._column = token.control === '\r' ? 0 : Math.max(0, this._column - 1);
    } else if (token.final && !token.between) {
      this._act(token.final, token.parameters);
    } else if (token.escape === '7' || token.escape === '8') {
      this._save(token.escape === '8');
    } else if (token.escape === 'M' || token.escape === 'D') {
      this._move(token.escape === 'D' ? 1 : -1, 0);
    } else if (token.escape === 'c') {
      this._turn(false);
      this._at = this._column = 0;
      this._style = '';
      this._eraseDisplay(2);
    }
  }

  /** Show an empty screen for a program that fills it, or what was printed before again. */
  private _turn(isAlternate: boolean): void {
    if (isAlternate && !this._printed) {
      this._printed = { rows: this._rows, at: this._at, column: this._column };
      this._rows = [new Row()];
      this._at = this._column = 0;
    } else if (!isAlternate && this._printed) {
      this._rows = this._printed.rows;
      this._at = this._printed.at;
      this._column = this._printed.column;
      this._printed = null;
    }
  }

  private _put(text: string[]): void {
    const row = this._row();
    const room = LONGEST - this._column;
    row.put(this._column, text.slice(0, room), this._style);
    row.isLonger ||= text.length > room;
    this._column = Math.min(LONGEST, this._column + text.length);
  }

  private _row(): Row {
    while (this._rows.length <= this._at) {
      this._rows.push(new Row());
    }
    return this._rows[this._at];
  }

  private _feedLine(settled: Row[]): void {
    this._column = 0;
    this._at++;
    if (this._at >= HEIGHT) {
      const row = this._rows.shift()!;
      this._at--;
      if (!this._printed) {
        settled.push(row); // an alternate screen forgets what has left it
      }
    }
    this._row();
  }

  private _save(restores: boolean): void {
    if (restores) {
      [this._at, this._column] = this._saved;
    } else {
      this._saved = [this._at, this._column];
    }
  }

  private _move(rows: number, columns: number): void {
    const most = Math.max(this._column, WIDTH);
    this._at = Math.max(0, Math.min(this._at + rows, HEIGHT - 1));
    this._column = Math.max(0, Math.min(this._column + columns, most));
  }

  private _act(final: string, parameters: string): void {
    if (final === 'm') {
      if (/^[0-9;:]*$/.test(parameters)) {
        this._style = styled(this._style, parameters);
      }
      return;
    }
    if ('hl'.includes(final) && ALTERNATE.includes(parameters)) {
      this._turn(final === 'h');
    }
    if (!/^[0-9;]*$/.test(parameters)) {
      return; // of another mode, such as whether the cursor is seen
    }
    const [first, second] = parameters
      .split(';')
      .map(part => Math.min(Number(part.slice(0, 6)), 9999));
    const count = Math.max(first, 1);
    switch (final) {
      case 'A':
      case 'F':
        this._move(-count, final === 'F' ? -this._column : 0);
        break;
      case 'B':
      case 'E':
        this._move(count, final === 'E' ? -this._column : 0);
        break;
      case 'C':
        this._move(0, count);
        break;
      case 'D':
        this._move(0, -count);
        break;
      case 'G':
      case '`':
        this._move(0, count - 1 - this._column);
        break;
      case 'H':
      case 'f': {
        const column = Math.max(second ?? 1, 1) - 1;
        this._move(count - 1 - this._at, column - this._column);
        break;
      }
      case 'd':
        this._move(count - 1 - this._at, 0);
        break;
      case 'J':
        this._eraseDisplay(first);
        break;
      case 'K':
        this._eraseLine(first);
        break;
      case 'P':
      case 'X':
      case '@':
        this._shift(final, count);
        break;
      case 'L':
      case 'M':
        this._shiftRows(final, count);
        break;
      case 's':
      case 'u':
        if (final === 'u' || !parameters) {
          this._save(final === 'u');
        }
    }
  }

  private _eraseLine(which: number): void {
    const row = this._row();
    const length = row.characters.length;
    const at = this._column;
    if (which === 0) {
      row.cut(at, length);
    } else if (which === 1) {
      row.cut(0, Math.min(at + 1, length), Math.min(at + 1, length));
    } else if (which === 2) {
      row.cut(0, length);
    }
  }

  private _eraseDisplay(which: number): void {
    if (which === 0 || which === 2) {
      this._rows.splice(this._at + 1);
    }
    if (which === 1 || which === 2) {
      for (const row of this._rows.slice(0, this._at)) {
        row.cut(0, row.characters.length);
      }
    }
    this._eraseLine(which);
  }

  private _shift(final: string, count: number): void {
    const row = this._row();
    const at = this._column;
    const end = Math.min(at + count, row.characters.length);
    if (final === '@' && at < row.characters.length) {
      row.cut(at, at, Math.min(count, WIDTH));
      row.cut(LONGEST, row.characters.length);
    } else if (at < end) {
      row.cut(at, end, final === 'X' ? end - at : 0);
    }
  }

  /** Put empty rows in at the cursor, or take rows out there. */
  private _shiftRows(final: string, count: number): void {
    this._row();
    this._column = 0;
    if (final === 'M') {
      this._rows.splice(this._at, count);
    } else {
      const empty = Array.from(
        { length: Math.min(count, HEIGHT) },
        () => new Row()
      );
      this._rows.splice(this._at, 0, ...empty);
      this._rows.splice(HEIGHT);
    }
    this._row();
  }

  private _rows = [new Row()];
  private _at = 0;
  private _column = 0; // where the cursor is
  private _saved: [number, number] = [0, 0];
  private _printed: { rows: Row[]; at: number; column: number } | null = null;
  private _style: Style = '';
  private _begun = '';
}

/** Rows as text with colours, each line with its own, for what renders those of a terminal. */
export function coloured(rows: readonly Row[]): string {
  return rows.map(inColour).join('\n');
}

function inColour(row: Row): string {
  let now: Style = '';
  const found = row.runs().map(([text, style]) => {
    const change = style === now ? '' : turned(now, style);
    now = style;
    return change + text;
  });
  return found.join('') + (now ? `${ESCAPE}[0m` : '');
}

/** What turns one style into another. */
function turned(from: Style, to: Style): string {
  return `${ESCAPE}[${[from ? '0' : '', to].filter(x => x).join(';')}m`;
}

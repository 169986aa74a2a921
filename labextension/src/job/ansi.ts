// The sequences of a terminal; the same rules, on the same cases (tests/unit/recorded/screen.json), are in
// jupyter_hpc/views/ansi.py.

const STRING = '[^\\x07\\x1b\\x9c\\n]*'; // of a title, a link, the clipboard; none hides the lines after it
/** A sequence: the parameters, what is between, and the end of one that acts; what follows of a short one. */
export const SEQUENCE =
  '(?:\\x1b\\[|\\x9b)(?<parameters>[0-?]*)(?<between>[ -/]*)(?<final>[@-~])' +
  `|(?:\\x1b[\\]PX^_]|[\\x90\\x98\\x9d-\\x9f])${STRING}(?:\\x07|\\x1b\\\\|\\x9c)` +
  '|\\x1b(?<escape>[ -/]*[0-~])|\\x1b';
const BEGUN = new RegExp(
  '(?:(?:\\x1b\\[|\\x9b)[0-?]*[ -/]*' +
    `|(?:\\x1b[\\]PX^_]|[\\x90\\x98\\x9d-\\x9f])${STRING}\\x1b?` +
    '|\\x1b[ -/]*)$'
);
const LONGEST = 4096; // of what is taken for a sequence that is still to end
const MOST_CODES = 32;
const ACTIVE =
  /[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;

/** Divide a piece of text from the sequence at its end of which more is to come. */
export function divided(text: string): [string, string] {
  const from = Math.max(0, text.length - LONGEST);
  const found = BEGUN.exec(text.slice(from));
  const end = found ? from + found.index : text.length;
  return [text.slice(0, end), text.slice(end)];
}

/** The text with what would act, or turn its direction, written out. */
export function printable(text: string): string {
  return text.replace(ACTIVE, found => {
    const code = found.charCodeAt(0).toString(16);
    return code.length > 2 ? `\\u${code}` : `\\x${code.padStart(2, '0')}`;
  });
}

/** The codes that bring a style about, one of each kind in a fixed order, such as "1;31"; empty: none. */
export type Style = string;

const KINDS = [
  'bold',
  'dim',
  'italic',
  'underline',
  'inverse',
  'strike',
  'colour',
  'background'
];
const SETS: Record<number, string> = {
  1: 'bold',
  2: 'dim',
  3: 'italic',
  4: 'underline',
  7: 'inverse',
  9: 'strike'
};
const ENDS: Record<number, string[]> = {
  22: ['bold', 'dim'],
  23: ['italic'],
  24: ['underline'],
  27: ['inverse'],
  29: ['strike'],
  39: ['colour'],
  49: ['background']
};

const known = new Map<string, Style>();

/** A style after more codes; what blinks or hides has no effect. */
export function styled(style: Style, codes: string): Style {
  const key = `${style}m${codes}`;
  let found = known.get(key);
  if (found === undefined) {
    found = changed(style, codes);
    if (known.size > 4096) {
      known.clear();
    }
    known.set(key, found);
  }
  return found;
}

function changed(style: Style, codes: string): Style {
  const kinds = kindsOf(style);
  const parts = codes.split(';').slice(0, MOST_CODES);
  while (parts.length) {
    const [code, ...more] = parts.shift()!.split(':');
    const value = number(code);
    if (value === 0) {
      kinds.clear();
    } else if (value === 38 || value === 48) {
      const rest = extended(more.length ? more.filter(x => x) : parts);
      if (rest) {
        kinds.set(value === 38 ? 'colour' : 'background', `${value};${rest}`);
      }
    } else if (value === 4 && more.join() === '0') {
      kinds.delete('underline');
    } else if (SETS[value]) {
      kinds.set(SETS[value], String(value));
    } else if (ENDS[value]) {
      ENDS[value].forEach(kind => kinds.delete(kind));
    } else if (isIn(value, 30) || isIn(value, 90)) {
      kinds.set('colour', String(value));
    } else if (isIn(value, 40) || isIn(value, 100)) {
      kinds.set('background', String(value));
    }
  }
  return KINDS.flatMap(kind => kinds.get(kind) ?? []).join(';');
}

/** Whether a code is one of the eight colours from another on. */
function isIn(code: number, first: number): boolean {
  return first <= code && code <= first + 7;
}

/** What codes a style has, by kind. */
function kindsOf(style: Style): Map<string, string> {
  const kinds = new Map<string, string>();
  const parts = style ? style.split(';') : [];
  while (parts.length) {
    const code = parts.shift()!;
    const value = Number(code);
    if (value === 38 || value === 48) {
      const kind = value === 38 ? 'colour' : 'background';
      kinds.set(kind, `${code};${extended(parts)}`);
    } else {
      const isColour = value < 40 || isIn(value, 90);
      kinds.set(SETS[value] ?? (isColour ? 'colour' : 'background'), code);
    }
  }
  return kinds;
}

function number(code: string): number {
  return /^\d{1,5}$/.test(code) ? Number(code) : code ? -1 : 0;
}

/** Take a colour by its number, or by red, green and blue; empty if it is none. */
function extended(parts: string[]): string {
  const kind = parts.shift() ?? '';
  const count = kind === '5' ? 1 : kind === '2' ? 3 : 0;
  if (!count || parts.length < count) {
    return '';
  }
  const values = parts
    .splice(0, count)
    .map(part => Math.max(0, Math.min(number(part), 255)));
  return [kind, ...values].join(';');
}

import { readFileSync } from 'fs';
import { describe, expect, it } from 'vitest';
import { Failures } from '../src/job/failures';
import { coloured, Row, Screen } from '../src/job/screen';

interface ICase {
  name: string;
  input?: string;
  file?: string;
  shown: string;
  marks?: string[];
}

const RECORDED = '../tests/unit/recorded';
const CASES = JSON.parse(
  readFileSync(`${RECORDED}/screen.json`, 'utf8')
) as ICase[];

function textOf(each: ICase): string {
  return (
    each.input ?? readFileSync(`${RECORDED}/terminal/${each.file}`, 'utf8')
  );
}

function rowsOf(text: string, step = text.length || 1): Row[] {
  const screen = new Screen();
  const found: Row[] = [];
  for (let at = 0; at < text.length; at += step) {
    found.push(...screen.add(text.slice(at, at + step)));
  }
  return [...found, ...screen.rows()];
}

describe('what stands on a terminal, by the cases that Python reads too', () => {
  it.each(CASES.map(each => [each.name, each] as const))('%s', (_, each) => {
    const text = textOf(each);
    expect(coloured(rowsOf(text))).toBe(each.shown);
    const failures = new Failures();
    const marks = rowsOf(text).map(row => failures.take(row.text));
    expect(marks.some(mark => mark) ? marks : undefined).toEqual(each.marks);
  });

  it.each(CASES.map(each => [each.name, each] as const))(
    '%s in pieces',
    (_, each) => {
      expect(coloured(rowsOf(textOf(each), 8))).toBe(each.shown);
    }
  );

  it('a line that no page can bear is cut, and says so', () => {
    const [row] = rowsOf('x'.repeat(10000));
    expect(coloured([row])).toBe(`${'x'.repeat(4000)}… (a longer line)`);
  });

  it('a copy goes on by itself', () => {
    const screen = new Screen();
    screen.add('\x1b[31mone');
    const copy = screen.copy();
    copy.add('\rtwo');
    expect(coloured(screen.rows())).toBe('\x1b[31mone\x1b[0m');
    expect(coloured(copy.rows())).toBe('\x1b[31mtwo\x1b[0m');
  });
});

import { Sanitizer } from '@jupyterlab/apputils';
import { renderText } from '@jupyterlab/rendermime';
import { describe, expect, it } from 'vitest';
import { fold, IChunk, placed, readable, WINDOW } from '../src/job/logtext';

/** The text that a page shows of it, and what of it is coloured. */
async function shown(text: string): Promise<[string, string[]]> {
  const host = document.createElement('div');
  await renderText({
    host,
    source: readable(text),
    sanitizer: new Sanitizer()
  });
  const coloured = [...host.querySelectorAll('span[class*="ansi"]')];
  return [host.textContent ?? '', coloured.map(each => each.textContent ?? '')];
}

describe('a log keeps its colours and does nothing else', () => {
  it.each([
    ['a\x1b]52;c;ZXZpbA==\x07b', 'ab', []],
    ['\x1b]8;;https://evil.example/\x1b\\click\x1b]8;;\x1b\\', 'click', []],
    ['a\x1b[2J\x1b[H\x1b[5Ab\x1bc', 'ab', []],
    ['a\x9b2Jb\x9d52;c;x\x9cc\x90q\x9cd', 'abcd', []],
    ['a\x0e\x07\x7fb', 'ab', []],
    ['a\u202eb\u2066', 'a\\u202eb\\u2066', []],
    ['\x1b]0;no end\nnext', '0;no end\nnext', []],
    ['\x1b[32mgreen\x1b[0m', 'green', ['green']]
  ])('%j is %j', async (text, plain, coloured) => {
    expect(await shown(text)).toEqual([plain, coloured]);
    expect(readable(text).replace(/\x1b\[[0-9;:]*m/g, '')).toBe(plain);
  });
});

describe('a log is folded as a terminal would', () => {
  it.each([
    ['plain\ntext', 'plain\ntext'],
    ['windows\r\nlines\r\n', 'windows\nlines\n'],
    ['10 %\r20 %\r100 %\n', '100 %\n'],
    ['a long line\rshort', 'shortg line'],
    ['wait |\b/\b-\bdone', 'wait done'],
    ['abc\b\bX', 'aXc'],
    ['\b\bx', 'x'],
    ['bar\r', 'bar'],
    ['é✓😀\rab', 'ab😀']
  ])('%j is %j', (text, folded) => {
    expect(fold(text)).toBe(folded);
  });

  it.each([
    ['\x1b[32m50 %\x1b[0m\r\x1b[32m60 %\x1b[0m', '60 %', ['60 %']],
    ['\x1b[32mgreen\x1b[0m\rred', 'reden', ['en']],
    ['\x1b[32mgreen\x1b[0m\r', 'green', ['green']],
    ['a much longer line\r\x1b[2Kshort', 'short', []],
    ['0123456789\rab\x1b[K', 'ab', []],
    ['a much longer line\x1b[2K\rshort', 'short', []],
    ['0123\b\b\x1b[1Kx', '  x3', []],
    ['0123\x1b[2K\b\bx', '  x', []],
    ['\x1b[1m\x1b[31mboth\x1b[0m off\rB', 'Both off', ['oth']],
    ['one\r\x1b[31mtwo\nthree\x1b[0m\n', 'two\nthree\n', ['two\nthree']]
  ])('colours keep their places in %j', async (text, folded, coloured) => {
    const [words, spans] = await shown(text);
    expect(words).toBe(folded);
    expect(spans.join('')).toBe(coloured.join(''));
  });

  it.each([
    ['\x1b[31ma\x1b[32mb\r\x1b[0mc', '\x1b[0mc\x1b[0;32mb\x1b[0;0m'],
    ['\x1b[1;38;5;9ma\x1b[22mb\b', '\x1b[1;38;5;9ma\x1b[0;22;38;5;9mb'],
    ['\x1b[38;2;1;2;3ma\x1b[mb\b', '\x1b[38;2;1;2;3ma\x1b[0;0mb'],
    ['\x1b[7ma\x1b[27mb\b', '\x1b[7ma\x1b[0;27mb']
  ])('each colour as it was last said in %j', (text, folded) => {
    expect(fold(text)).toBe(folded);
  });

  it('however many codes there are, few are kept', () => {
    const codes = Array.from({ length: 5000 }, (_, i) => `\x1b[3${i % 8}m`);
    expect(fold(`${codes.join('')}x\ry`)).toBe('\x1b[37my');
    const many = codes.map(code => `${code}x`).join('');
    expect(fold(`${many}\b`).length).toBeLessThan(2 * many.length);
  });

  it('what is not folded is not touched', () => {
    const text = '\x1b[31mred\x1b[0m\n\x1b[2K\n';
    expect(fold(text)).toBe(text);
  });
});

it('a line that no page can bear is cut, and says how long it is', () => {
  const [first, second] = readable(`${'x'.repeat(10000)}\nshort`).split('\n');
  expect(first).toBe(`${'x'.repeat(4000)}… (10000)`);
  expect(second).toBe('short');
});

describe('windows of a log', () => {
  const chunk = (offset: number, text: string): IChunk => ({
    offset,
    next: offset + text.length,
    text
  });

  it('follow each other as one while they are small', () => {
    const all = placed([chunk(0, 'one ')], chunk(4, 'two'), 'after');
    expect(all).toEqual([chunk(0, 'one two')]);
  });

  it('are no more than some, the farthest go', () => {
    const full = 'x'.repeat(WINDOW);
    let all: IChunk[] = [];
    for (let i = 0; i < 30; i++) {
      all = placed(all, chunk(i * WINDOW, full), 'after');
    }
    expect(all.length).toBe(24);
    expect(all[23].offset).toBe(29 * WINDOW);
    all = placed(all, chunk(all[0].offset - WINDOW, full), 'before');
    expect(all.length).toBe(24);
    expect(all[0].offset).toBe(5 * WINDOW);
    expect(all[23].offset).toBe(28 * WINDOW);
  });

  it('have each byte once, whatever comes twice', () => {
    const all = [chunk(10, 'abc')];
    expect(placed(all, chunk(10, 'abc'), 'after')).toEqual(all);
    expect(placed(all, chunk(10, 'abc'), 'before')).toEqual(all);
    const more = placed(all, chunk(5, '01234'), 'before');
    expect(placed(more, chunk(5, '01234'), 'before')).toEqual(more);
  });

  it('begin anew where one goes elsewhere', () => {
    const all = [chunk(10, 'abc')];
    expect(placed(all, chunk(500, 'x'), 'only')).toEqual([chunk(500, 'x')]);
    expect(placed([], chunk(0, 'x'), 'after')).toEqual([chunk(0, 'x')]);
  });
});

import { Sanitizer } from '@jupyterlab/apputils';
import { renderText } from '@jupyterlab/rendermime';
import { describe, expect, it } from 'vitest';
import { IChunk, IRead, last, placed, read, WINDOW } from '../src/job/logtext';

const chunk = (offset: number, text: string): IChunk => ({
  offset,
  next: offset + text.length,
  text
});

/** The text that a page shows of it, and what of it is coloured. */
async function shown(chunks: readonly IChunk[]): Promise<[string, string[]]> {
  const host = document.createElement('div');
  const reads = read(chunks, []);
  const sections = [...reads.flatMap(each => each.sections), ...last(reads)];
  await renderText({
    host,
    source: sections.map(each => each.text).join(''),
    sanitizer: new Sanitizer()
  });
  const coloured = [...host.querySelectorAll('span[class*="ansi"]')];
  return [
    (host.textContent ?? '').replace(/\n$/, ''),
    coloured.map(each => each.textContent ?? '')
  ];
}

describe('a log keeps its colours and does nothing else', () => {
  it.each([
    ['a\x1b]52;c;ZXZpbA==\x07b', 'ab', []],
    ['\x1b]8;;https://evil.example/\x1b\\click\x1b]8;;\x1b\\', 'click', []],
    ['a\x9b2mb\x9d52;c;x\x9cc\x90q\x9cd', 'abcd', []],
    ['a\x0e\x07\x7fb', 'ab', []],
    ['a\u202eb\u2066', 'a\\u202eb\\u2066', []],
    ['\x1b]0;no end\nnext', '0;no end\nnext', []],
    ['\x1b[32mgreen\x1b[0m', 'green', ['green']],
    ['\x1b[32m50 %\x1b[0m\r\x1b[32m60 %\x1b[0m', '60 %', ['60 %']]
  ])('%j is %j', async (text, plain, coloured) => {
    expect(await shown([chunk(0, text)])).toEqual([plain, coloured]);
  });
});

describe('chunks are one text', () => {
  const marks = (reads: readonly IRead[]) =>
    [...reads.flatMap(each => each.sections), ...last(reads)].map(
      each => each.mark
    );

  it('a line, a colour and a bar go on from one into the next', async () => {
    const [words, spans] = await shown([
      chunk(0, 'one \x1b[3'),
      chunk(7, '1mred'),
      chunk(12, '\rONE\n')
    ]);
    expect(words).toBe('ONE red');
    expect(spans.join('')).toBe('ONEred');
  });

  it('what was read is not read again', () => {
    const chunks = [chunk(0, 'line\n'.repeat(100)), chunk(500, 'more')];
    const first = read(chunks, []);
    const next = read([chunks[0], chunk(500, 'more and more')], first);
    expect(next[0]).toBe(first[0]);
    expect(next[1]).not.toBe(first[1]);
    expect(read(chunks, first)).toEqual(first);
  });

  it('a traceback is marked, wherever it is cut', () => {
    const text =
      'fine\nTraceback (most recent call last):\n  File "a", line 1\nKeyError: 1\nfine\n';
    for (let at = 1; at < text.length; at++) {
      const reads = read(
        [chunk(0, text.slice(0, at)), chunk(at, text.slice(at))],
        []
      );
      expect(marks(reads)).toEqual(['', 'trace', 'error', '']);
    }
  });
});

describe('windows of a log', () => {
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

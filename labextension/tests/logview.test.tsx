import { Sanitizer } from '@jupyterlab/apputils';
import { nullTranslator } from '@jupyterlab/translation';
import * as React from 'react';
import { createRoot, Root } from 'react-dom/client';
import { act } from 'react';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { LogView } from '../src/job/logview';
import { HPCApi } from '../src/server/api';
import { ILogWindow } from '../src/server/types';

const LOGS: Record<string, string> = {
  a: '── task 1 ──\none\n\n── task 2 ──\ntwo\n',
  a_1: 'one\n',
  b: '10 %\r20 %\nTraceback (most recent call last):\n  File "a", line 1\nKeyError: 1\n',
  c: ''
};
const TASKS = [
  { id: 'a_1', task: 1 },
  { id: 'a_2', task: 2 }
];

let host: HTMLElement;
let root: Root;
beforeEach(() => {
  (globalThis as any).IS_REACT_ACT_ENVIRONMENT = true;
  host = document.body.appendChild(document.createElement('div'));
  root = createRoot(host);
});
afterEach(() => act(async () => root.unmount()));

const log = vi.fn(async (id: string): Promise<ILogWindow> => {
  const text = LOGS[id];
  const tasks = id === 'a' ? TASKS : [];
  return { text, offset: 0, next: text.length, size: text.length, tasks };
});

async function show(id: string): Promise<void> {
  const api = { log, logFileUrl: () => '' } as unknown as HPCApi;
  const trans = nullTranslator.load('x');
  const props = { api, id, trans, isLive: false, which: 'cell' as const };
  await act(async () =>
    root.render(<LogView {...props} sanitizer={new Sanitizer()} />)
  );
  await act(async () => new Promise(done => setTimeout(done, 0)));
}

const text = () => host.querySelector('[role="log"]')?.textContent ?? '';

it('the log of an array is that of its tasks, or of one of them', async () => {
  await show('a');
  expect(text()).toBe(LOGS.a);
  const choice = host.querySelector('select')!;
  expect([...choice.options].map(each => each.text)).toEqual([
    'All tasks',
    'Task 1',
    'Task 2'
  ]);
  await act(async () => {
    choice.value = 'a_1';
    choice.dispatchEvent(new Event('change', { bubbles: true }));
  });
  await act(async () => new Promise(done => setTimeout(done, 0)));
  expect(text()).toBe('one\n');
  expect(log).toHaveBeenLastCalledWith(
    'a_1',
    expect.anything(),
    expect.anything(),
    'cell'
  );
});

it('a traceback is marked, and what went wrong stands out', async () => {
  await show('b');
  const shown = [...host.querySelectorAll('.jp-HPCLog-section')];
  expect(
    shown.map(each => [each.className.split(' ')[2], each.textContent])
  ).toEqual([
    [undefined, '20 %\n'],
    [
      'jp-mod-trace',
      'Traceback (most recent call last):\n  File "a", line 1\n'
    ],
    ['jp-mod-error', 'KeyError: 1\n']
  ]);
  expect(host.querySelector('select')).toBeNull();
});

it('nothing is said to be nothing', async () => {
  await show('c');
  expect(text()).toContain('Nothing was printed');
});

it('follows its end until somebody scrolls up, not when it is put elsewhere in the page', async () => {
  await show('b');
  const box = host.querySelector<HTMLElement>('[role="log"]')!;
  const sizes = { scrollHeight: 1000, clientHeight: 100 };
  for (const [name, value] of Object.entries(sizes)) {
    Object.defineProperty(box, name, { value });
  }
  box.scrollTo = (_: unknown, top?: number) => {
    box.scrollTop = top === 1000 ? 900 : (top ?? 0);
  };
  const follows = () =>
    host.querySelector<HTMLInputElement>('[type="checkbox"]')!.checked;
  const scroll = (top: number) =>
    act(async () => {
      box.scrollTop = top;
      box.dispatchEvent(new Event('scroll'));
    });
  await scroll(900);
  await scroll(0);
  expect([follows(), box.scrollTop]).toEqual([true, 900]);
  box.dispatchEvent(new Event('wheel', { bubbles: true }));
  await scroll(0);
  expect([follows(), box.scrollTop]).toEqual([false, 0]);
  await scroll(900);
  expect(follows()).toBe(true);
});

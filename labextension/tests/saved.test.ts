import { expect, test } from 'vitest';
import { finished, MIME, unfinished } from '../src/output/finished';
import { finishCells, ICell } from '../src/output/saved';
import { HPCApi } from '../src/server/api';
import { IOutputs } from '../src/server/types';
import { job } from './jobs';

const ID = '20260101-000000-abcdef';
type Output = ReturnType<typeof finished>[number];

function card(state: string, id = ID): { [mime: string]: unknown } {
  return { 'text/html': state, [MIME]: { id, state } };
}

function display(data: unknown): Output {
  return { output_type: 'display_data', data, metadata: {} } as Output;
}

const html = (text: string) => ({ 'text/html': text });
const ENDED: IOutputs = {
  is_final: true,
  card: card('COMPLETED'),
  shown: [
    { data: html('curve 2'), metadata: {}, is_value: false },
    { data: { 'text/plain': '42' }, metadata: {}, is_value: true }
  ],
  earlier: [html('curve 1'), html('curve 2'), { 'text/plain': '42' }]
};
const BEFORE = [
  display(html('mine')),
  display(card('RUNNING')),
  display(html('curve 1')),
  { output_type: 'stream', name: 'stdout', text: 'a line' } as Output
];

test('the card is replaced, displays stand under it once, all else stays', () => {
  const found = finished(BEFORE, new Map([[ID, ENDED]]), 7);
  expect(found).toEqual([
    BEFORE[0],
    display(card('COMPLETED')),
    display(html('curve 2')),
    {
      output_type: 'execute_result',
      execution_count: 7,
      data: { 'text/plain': '42' },
      metadata: {}
    },
    BEFORE[3]
  ]);
  expect(finished(found, new Map([[ID, ENDED]]), 7)).toEqual(found);
  expect(finished(BEFORE, new Map(), 7)).toEqual(BEFORE);
});

test('which outputs are unfinished', () => {
  expect(unfinished(card('PENDING'))).toBe(ID);
  expect(unfinished(card('FAILED'))).toBe('');
  expect(
    unfinished({ [MIME]: { id: ID, state: 'FAILED', lacks_displays: true } })
  ).toBe(ID);
  expect(unfinished({ 'text/html': 'x' })).toBe('');
  expect(unfinished(undefined)).toBe('');
});

function cell(state: string, outputs: Output[]): ICell & { written: number } {
  let held = outputs;
  const found = {
    type: 'code',
    executionState: state,
    executionCount: 7,
    written: 0,
    outputs: {
      get length() {
        return held.length;
      },
      get: (i: number) => ({ data: (held[i].data ?? {}) as object }) as never,
      toJSON: () => held,
      fromJSON: (values: Output[]) => {
        held = values;
        found.written += 1;
      }
    }
  };
  return found;
}

/** Ask for what ended, of a server that knows one job. */
async function look(cells: ICell[], live: string[] = []): Promise<string[]> {
  const asked: string[] = [];
  const outputs = async (id: string) => {
    asked.push(id);
    if (id !== ID) {
      throw new Error('There is no such run.');
    }
    return ENDED;
  };
  const model = {
    api: { outputs } as unknown as HPCApi,
    live: live.map(id => job(id))
  };
  await finishCells(model, () => cells);
  return asked;
}

test('a job is asked for once, and only its cells are written', async () => {
  const foreign = [display(card('RUNNING', '20200101-000000-abcdef'))];
  const cells = [
    cell('idle', BEFORE),
    cell('idle', BEFORE),
    cell('idle', [display(html('x'))]),
    cell('idle', foreign),
    { type: 'markdown' }
  ];
  expect(await look(cells)).toEqual([ID, '20200101-000000-abcdef']);
  expect(cells.map(each => (each as { written?: number }).written)).toEqual([
    1,
    1,
    0,
    0,
    undefined
  ]);
  expect(await look(cells)).toEqual(['20200101-000000-abcdef']);
});

test('a cell that runs, and a job that lives, are left alone', async () => {
  const running = cell('running', BEFORE);
  expect(await look([running])).toEqual([]);
  const waiting = cell('idle', BEFORE);
  expect(await look([waiting], [ID])).toEqual([]);
  expect([running.written, waiting.written]).toEqual([0, 0]);
});

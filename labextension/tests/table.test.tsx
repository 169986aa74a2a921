import { nullTranslator } from '@jupyterlab/translation';
import { Signal } from '@lumino/signaling';
import { describe, expect, it } from 'vitest';
import { IHPCJobs } from '../src/jobs/tokens';
import { HPCApi, ITableQuery } from '../src/server/api';
import { ITablePage, ITableRow } from '../src/server/types';
import {
  ariaSort,
  columnsOf,
  nextSort,
  short,
  USUAL
} from '../src/table/columns';
import { TableModel } from '../src/table/model';
import { job } from './jobs';

const trans = nullTranslator.load('jupyter_hpc');

function row(id: string): ITableRow {
  return { ...job(id, 'COMPLETED'), parameters: {}, numbers: {}, gpu_use: [] };
}

/** A server with so many rows, which writes down what it is asked. */
function setUp(count: number) {
  const asked: [ITableQuery, number, number][] = [];
  const rows = Array.from({ length: count }, (_, i) => row(`r${i}`));
  const api = {
    table: async (query: ITableQuery, offset: number, limit: number) => {
      asked.push([query, offset, limit]);
      const page: ITablePage = {
        rows: rows.slice(offset, offset + limit),
        total: rows.length,
        parameters: ['lr'],
        metrics: ['loss']
      };
      return page;
    }
  } as unknown as HPCApi;
  const jobs = { watch: () => undefined } as unknown as IHPCJobs & {
    changed: Signal<object, void>;
  };
  Object.assign(jobs, { changed: new Signal(jobs) });
  const model = new TableModel(api, jobs);
  return { asked, rows, jobs, model };
}

/** Let everything that is due happen. */
const settled = () => new Promise(done => setTimeout(done));

describe('the table', () => {
  it('asks for the rows that are seen, and again when jobs have changed', async () => {
    const { asked, jobs, model, rows } = setUp(1000);
    await model.refresh();
    model.setWindow(250, 320);
    await settled();
    expect(asked.at(-1)?.slice(1)).toEqual([200, 200]);
    expect(model.row(250)).toEqual(rows[250]);
    expect(model.row(500)).toBeUndefined();
    const before = asked.length;
    jobs.changed.emit();
    expect(asked.length).toBe(before); // nobody looks
    model.watch(true);
    jobs.changed.emit();
    expect(asked.length).toBe(before + 1);
    model.dispose();
  });

  it('asks anew for another order, from the top', async () => {
    const { asked, model } = setUp(1000);
    model.setWindow(500, 520);
    await settled();
    model.query = { ...model.query, sort: '-metrics.loss' };
    expect(model.row(0)).toBeUndefined();
    await settled();
    expect(asked.at(-1)).toEqual([
      { text: '', where: '', sort: '-metrics.loss' },
      0,
      100
    ]);
  });

  it('keeps what is chosen by id, one by one and from one to another', async () => {
    const { model } = setUp(20);
    await model.refresh();
    model.toggle(3);
    model.extend(5);
    expect(model.chosen).toEqual(['r3', 'r4', 'r5']);
    model.toggle(4);
    expect(model.chosen).toEqual(['r3', 'r5']);
    model.extend(2);
    expect(model.chosen).toEqual(['r3', 'r5', 'r2', 'r4']);
    model.query = { ...model.query, text: 'other' };
    expect(model.chosenRows.length).toBe(4);
    model.choose([]);
    expect(model.chosen).toEqual([]);
  });
});

describe('columns', () => {
  const page: ITablePage = {
    rows: [],
    total: 0,
    parameters: ['lr'],
    metrics: ['loss']
  };
  const columns = columnsOf(page, trans);

  it('are the usual ones, and one for each parameter and metric', () => {
    const names = columns.map(column => column.name);
    expect(names).toEqual([...USUAL, 'parameters.lr', 'metrics.loss']);
  });

  it('show what a row has, and nothing of what it lacks', () => {
    const shown = (name: string, changes: Partial<ITableRow>) =>
      columns
        .find(column => column.name === name)
        ?.cell({ ...row('a'), ...changes });
    const parameters = { lr: '0.01', model: "'resnet'" };
    expect(shown('parameters', { parameters })).toBe("lr=0.01, model='resnet'");
    expect(shown('metrics.loss', { numbers: { loss: 0.123456 } })).toBe(
      '0.1235'
    );
    expect(shown('metrics.loss', {})).toBe('');
    expect(
      shown('gpus', {
        gpu_use: [{ percent: 96.6, mib: 2048, mib_total: 4096 }]
      })
    ).toBe('97 % 2 GiB');
    expect(shown('duration', { started_at: null })).toBe('');
  });

  it('are sorted up, down, and not at all', () => {
    expect(nextSort('name', '')).toBe('name');
    expect(nextSort('name', 'name')).toBe('-name');
    expect(nextSort('name', '-name')).toBe('');
    expect(nextSort('name', 'state')).toBe('name');
    expect(ariaSort('name', '-name')).toBe('descending');
    expect(ariaSort('name', 'name')).toBe('ascending');
    expect(ariaSort('name', 'names')).toBe('none');
    expect(ariaSort(undefined, '')).toBe('none');
  });

  it('have numbers of a few digits', () => {
    expect([short(3), short(0.1 + 0.2), short('nan')]).toEqual([
      '3',
      '0.3',
      'nan'
    ]);
  });
});

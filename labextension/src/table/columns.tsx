import { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';
import { lasted, native, sign, size, words } from '../jobs/format';
import { When } from '../parts/when';
import { ITablePage, ITableRow } from '../server/types';

/** A column of the table. */
export interface IColumn {
  name: string;
  label: string;
  /** What the server sorts by; none where there is no order. */
  sort?: string;
  px: number;
  isNumber?: boolean;
  cell: (row: ITableRow) => React.ReactNode;
}

/** Columns that are there whatever the jobs are. */
export const USUAL = [
  'state',
  'name',
  'target',
  'parameters',
  'metrics',
  'started',
  'duration',
  'node',
  'gpus',
  'tags'
];

/** All columns that can be chosen: the usual ones, and one for each parameter and metric. */
export function columnsOf(
  page: ITablePage,
  trans: TranslationBundle
): IColumn[] {
  const usual: IColumn[] = [
    {
      name: 'state',
      label: trans.__('State'),
      sort: 'state',
      px: 140,
      cell: row => (
        <>
          <span className="jp-HPC-sign" aria-hidden="true">
            {sign(row.state)}
          </span>
          {words(row.state, trans)}
        </>
      )
    },
    {
      name: 'name',
      label: trans.__('Name'),
      sort: 'name',
      px: 220,
      cell: row => row.name || row.id
    },
    {
      name: 'target',
      label: trans.__('Target'),
      sort: 'target',
      px: 140,
      cell: row => [row.target, native(row)].join(' ').trim()
    },
    {
      name: 'parameters',
      label: trans.__('Parameters'),
      px: 200,
      cell: row => pairs(row.parameters, '=')
    },
    {
      name: 'metrics',
      label: trans.__('Metrics'),
      px: 160,
      cell: row => pairs(mapped(row.numbers, short), ' ')
    },
    {
      name: 'started',
      label: trans.__('Started'),
      sort: 'started',
      px: 110,
      cell: row =>
        row.started_at !== null && (
          <When moment={row.started_at} trans={trans} />
        )
    },
    {
      name: 'duration',
      label: trans.__('Duration'),
      sort: 'duration',
      px: 100,
      isNumber: true,
      cell: lasted
    },
    {
      name: 'node',
      label: trans.__('Node'),
      sort: 'node',
      px: 110,
      cell: row => row.node
    },
    {
      name: 'gpus',
      label: trans.__('GPU use'),
      px: 130,
      cell: row => gpuUse(row)
    },
    {
      name: 'tags',
      label: trans.__('Tags'),
      px: 130,
      cell: row => row.tags.join(', ')
    }
  ];
  return [
    ...usual,
    ...page.parameters.map(name =>
      ofRun(`parameters.${name}`, name, row => row.parameters[name])
    ),
    ...page.metrics.map(name =>
      ofRun(`metrics.${name}`, name, row => row.numbers[name])
    )
  ];
}

type Told = number | string | null;

function ofRun(
  name: string,
  label: string,
  value: (row: ITableRow) => Told | undefined
): IColumn {
  return {
    name,
    label,
    sort: name,
    px: 100,
    isNumber: true,
    cell: row => short(value(row) ?? '')
  };
}

function mapped(
  values: { [name: string]: Told },
  words: (value: number | string) => string
): { [name: string]: string } {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [name, words(value ?? '')])
  );
}

function pairs(values: { [name: string]: string }, between: string): string {
  return Object.entries(values)
    .map(([name, value]) => `${name}${between}${value}`)
    .join(', ');
}

/** A number with as many digits as tell runs apart. */
export function short(value: number | string): string {
  return typeof value === 'number' && !Number.isInteger(value)
    ? String(Number(value.toPrecision(4)))
    : String(value);
}

/** The most that each GPU was used: `97 % 11.2 GiB`. */
function gpuUse(row: ITableRow): string {
  return row.gpu_use
    .map(gpu => `${Math.round(gpu.percent)} % ${size(gpu.mib * 2 ** 20)}`)
    .join(', ');
}

/** What a click on a column's head sorts by next: up, down, and the list's own order again. */
export function nextSort(column: string, sort: string): string {
  return sort === column ? `-${column}` : sort === `-${column}` ? '' : column;
}

export function ariaSort(
  column: string | undefined,
  sort: string
): 'ascending' | 'descending' | 'none' {
  return !column
    ? 'none'
    : sort === column
      ? 'ascending'
      : sort === `-${column}`
        ? 'descending'
        : 'none';
}

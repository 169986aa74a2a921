import { Notification } from '@jupyterlab/apputils';
import { TranslationBundle } from '@jupyterlab/translation';
import { UseSignal } from '@jupyterlab/ui-components';
import { CommandRegistry } from '@lumino/commands';
import * as React from 'react';
import { actsOf } from '../jobs/acts';
import { cancelJobs } from '../parts/cancel';
import { tagJobs, untagJobs } from '../parts/tags';
import { HPCError } from '../server/api';
import { ITableRow } from '../server/types';
import { columnsOf, IColumn, USUAL } from './columns';
import { Comparison } from './comparison';
import { Grid } from './grid';
import { TableModel } from './model';

/** Which columns a person wants: kept by whoever makes the table. */
export interface IChosenColumns {
  names: string[];
  keep: (names: string[]) => void;
}

export interface ITableProps {
  model: TableModel;
  commands: CommandRegistry;
  trans: TranslationBundle;
  columns: IChosenColumns;
}

/** All jobs as a table: filtered, sorted by any column, chosen, compared, tagged, cancelled. */
export function Table(props: ITableProps): React.ReactElement {
  return (
    <UseSignal signal={props.model.changed} initialSender={props.model}>
      {() => <Whole {...props} />}
    </UseSignal>
  );
}

function Whole(props: ITableProps): React.ReactElement {
  const { model, trans, commands } = props;
  const [names, setNames] = React.useState(props.columns.names);
  const [compared, setCompared] = React.useState<[ITableRow, ITableRow] | null>(
    null
  );
  const wanted = names.length ? names : USUAL;
  const { parameters, metrics } = model.page;
  const known = React.useMemo(
    () => columnsOf(model.page, trans),
    [JSON.stringify([parameters, metrics]), trans]
  );
  const columns = React.useMemo(
    () => known.filter(column => wanted.includes(column.name)),
    [known, wanted]
  );
  const keep = (chosen: string[]) => {
    setNames(chosen);
    props.columns.keep(chosen);
  };
  const cancel = () => void tried(() => cancelChosen(model, trans));
  return (
    <>
      <div
        className="jp-HPCTable-tools"
        role="toolbar"
        aria-label={trans.__('Jobs')}
      >
        <Filter
          label={trans.__('Search jobs')}
          value={model.query.text}
          onChange={text => {
            model.query = { ...model.query, text };
          }}
        />
        <Filter
          label={trans.__('Condition: failed since yesterday')}
          value={model.query.where}
          isCondition
          onChange={where => {
            model.query = { ...model.query, where };
          }}
        />
        <Chooser {...{ known, wanted, keep, trans }} />
        <Chosen {...{ model, trans, cancel }} onCompare={setCompared} />
        <span className="jp-HPCTable-count" role="status">
          {trans._n('%1 job', '%1 jobs', model.page.total)}
        </span>
      </div>
      {model.problem && (
        <p className="jp-HPC-problem" role="alert">
          {model.problem}
        </p>
      )}
      {model.isReady && !model.page.total && !model.problem && (
        <p className="jp-HPC-empty" role="status">
          {model.query.text || model.query.where
            ? trans.__('No job matches.')
            : trans.__('No jobs yet.')}
        </p>
      )}
      <Grid {...{ model, commands, trans, columns }} onCancel={cancel} />
      {compared && (
        <Comparison
          api={model.api}
          trans={trans}
          rows={compared}
          onClose={() => setCompared(null)}
        />
      )}
    </>
  );
}

/** What can be done with the rows that are chosen. */
function Chosen(props: {
  model: TableModel;
  trans: TranslationBundle;
  cancel: () => void;
  onCompare: (rows: [ITableRow, ITableRow]) => void;
}): React.ReactElement {
  const { model, trans } = props;
  const rows = model.chosenRows;
  const own = rows.filter(row => !row.foreign);
  const live = rows.filter(row => actsOf(row).includes('cancel'));
  const name = (change: typeof tagJobs) =>
    void tried(async () => {
      await change(model.api, trans, own);
      await model.refresh();
    });
  return (
    <>
      <button
        className="jp-HPC-button"
        disabled={own.length !== 2 || rows.length !== 2}
        title={trans.__('What differs between two chosen jobs')}
        onClick={() => props.onCompare([own[1], own[0]].sort(byTime) as never)}
      >
        {trans.__('Compare')}
      </button>
      <button
        className="jp-HPC-button"
        disabled={!own.length}
        title={trans.__('Give the chosen jobs a name')}
        onClick={() => name(tagJobs)}
      >
        {trans.__('Tag')}
      </button>
      <button
        className="jp-HPC-button"
        disabled={!own.some(row => row.tags.length)}
        title={trans.__('Take tags away from the chosen jobs')}
        onClick={() => name(untagJobs)}
      >
        {trans.__('Untag')}
      </button>
      <button
        className="jp-HPC-button"
        disabled={!live.length}
        title={trans.__('Cancel the chosen jobs that have not ended')}
        onClick={props.cancel}
      >
        {trans.__('Cancel')}
      </button>
      {rows.length > 0 && (
        <button
          className="jp-HPC-button"
          title={trans.__('Choose none')}
          onClick={() => model.choose([])}
        >
          {trans.__('%1 chosen', rows.length)} ×
        </button>
      )}
    </>
  );
}

/** A menu of boxes to tick, one for each column there could be. */
function Chooser(props: {
  known: IColumn[];
  wanted: string[];
  keep: (names: string[]) => void;
  trans: TranslationBundle;
}): React.ReactElement {
  const { known, wanted, keep, trans } = props;
  const toggled = (name: string) =>
    wanted.includes(name)
      ? wanted.filter(each => each !== name)
      : [...wanted, name];
  return (
    <details
      className="jp-HPCTable-chooser"
      onKeyDown={event => {
        if (event.key === 'Escape') {
          event.currentTarget.open = false;
          event.currentTarget.querySelector('summary')?.focus();
        }
      }}
    >
      <summary className="jp-HPC-button">{trans.__('Columns')}</summary>
      <div>
        {known.map(column => (
          <label key={column.name}>
            <input
              type="checkbox"
              checked={wanted.includes(column.name)}
              disabled={wanted.length === 1 && wanted.includes(column.name)}
              onChange={() => keep(toggled(column.name))}
            />
            {column.label}
          </label>
        ))}
      </div>
    </details>
  );
}

/** A field whose text is asked for while it is written; a condition once it is whole. */
function Filter(props: {
  label: string;
  value: string;
  isCondition?: boolean;
  onChange: (text: string) => void;
}): React.ReactElement {
  const { isCondition, onChange } = props;
  return (
    <input
      type="search"
      className="jp-HPC-search"
      placeholder={props.label}
      aria-label={props.label}
      defaultValue={props.value}
      onChange={event => {
        if (!isCondition || !event.target.value) {
          onChange(event.target.value);
        }
      }}
      onKeyDown={event => {
        if (isCondition && event.key === 'Enter') {
          onChange(event.currentTarget.value);
        }
      }}
      onBlur={event => {
        if (isCondition && event.target.value !== props.value) {
          onChange(event.target.value);
        }
      }}
    />
  );
}

async function cancelChosen(
  model: TableModel,
  trans: TranslationBundle
): Promise<void> {
  const live = model.chosenRows.filter(row => actsOf(row).includes('cancel'));
  if (live.length) {
    const ids = live.map(row => row.id);
    await cancelJobs(model.api, trans, ids);
    await model.refresh();
  }
}

async function tried(act: () => Promise<void>): Promise<void> {
  try {
    await act();
  } catch (error) {
    const hint = error instanceof HPCError && error.hint ? error.hint : '';
    Notification.error(`${(error as Error).message} ${hint}`.trim(), {
      autoClose: 8000
    });
  }
}

function byTime(one: ITableRow, other: ITableRow): number {
  return (one.created ?? 0) - (other.created ?? 0);
}

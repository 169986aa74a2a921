import { UseSignal } from '@jupyterlab/ui-components';
import { TranslationBundle } from '@jupyterlab/translation';
import { CommandRegistry } from '@lumino/commands';
import * as React from 'react';
import { CommandIDs } from '../jobs/commandids';
import { Elapsed } from '../parts/elapsed';
import { isLive, look, place, sign, times, words } from '../jobs/format';
import { Foreign } from '../parts/foreign';
import { IHPCJobs } from '../jobs/tokens';
import { IQuery } from '../server/api';
import { IHeading, IRow } from '../server/types';

const ROW_PX = 60;
const SPARE = 8;

export interface IQueueProps {
  model: IHPCJobs;
  commands: CommandRegistry;
  trans: TranslationBundle;
}

/** The list of jobs: only the rows that are seen exist. */
export function Queue(props: IQueueProps): React.ReactElement {
  const { model, trans } = props;
  return (
    <UseSignal signal={model.changed} initialSender={model}>
      {() => (
        <div className="jp-HPCQueue">
          <Filters {...props} />
          {model.problem && model.state !== 'unavailable' && (
            <div className="jp-HPC-problem" role="alert">
              {trans.__('No answer from the server: %1', model.problem)}{' '}
              <button
                className="jp-HPC-chip"
                onClick={() => void model.refresh()}
              >
                {trans.__('Try again')}
              </button>
            </div>
          )}
          {model.state === 'unavailable' ? (
            <Empty
              text={trans.__(
                'The server extension of jupyter_hpc is not running here.'
              )}
              hint="jupyter server extension enable jupyter_hpc.server"
            />
          ) : model.state === 'loading' ? (
            <Empty text={trans.__('Looking for jobs …')} />
          ) : model.page.total === 0 ? (
            <NoJobs {...props} />
          ) : (
            <Rows {...props} />
          )}
        </div>
      )}
    </UseSignal>
  );
}

function Empty(props: { text: string; hint?: string }): React.ReactElement {
  return (
    <div className="jp-HPC-empty" role="status">
      <p>{props.text}</p>
      {props.hint && <code>{props.hint}</code>}
    </div>
  );
}

function NoJobs(props: IQueueProps): React.ReactElement {
  const { model, trans } = props;
  const { by: _by, ...filters } = model.query;
  return Object.values(filters).some(value => value) ? (
    <Empty text={trans.__('No job matches these filters.')} />
  ) : (
    <Empty
      text={trans.__('No jobs yet. Run a cell that begins with:')}
      hint="%%slurm --time 10m"
    />
  );
}

function Filters(props: IQueueProps): React.ReactElement {
  const { model, trans } = props;
  const { counts, targets, notebooks } = model.page;
  const change = (part: Partial<IQuery>) => {
    model.query = { ...model.query, ...part };
  };
  const groups: [IQuery['group'], string][] = [
    ['', trans.__('All')],
    ['running', trans.__('Running %1', counts.running)],
    ['waiting', trans.__('Waiting %1', counts.waiting)],
    ['ended', trans.__('Ended %1', counts.ended)]
  ];
  return (
    <div className="jp-HPCQueue-filters">
      <div role="group" aria-label={trans.__('State')}>
        {groups.map(([group, label]) => (
          <button
            key={group}
            className="jp-HPC-chip"
            aria-pressed={model.query.group === group}
            onClick={() => change({ group })}
          >
            {label}
          </button>
        ))}
      </div>
      <input
        type="search"
        className="jp-HPC-search"
        placeholder={trans.__('Search jobs')}
        aria-label={trans.__('Search jobs')}
        defaultValue={model.query.text}
        onChange={event => change({ text: event.target.value })}
      />
      <div className="jp-HPCQueue-selects">
        <Select
          label={trans.__('Target')}
          all={trans.__('Target')}
          value={model.query.target}
          values={targets}
          onChange={target => change({ target })}
        />
        <Select
          label={trans.__('Notebook')}
          all={trans.__('Notebook')}
          value={model.query.notebook}
          values={notebooks}
          onChange={notebook => change({ notebook })}
        />
        <Select
          label={trans.__('Group by')}
          all={trans.__('Group by')}
          value={model.query.by}
          values={['target', 'state', 'notebook']}
          labels={[trans.__('target'), trans.__('state'), trans.__('notebook')]}
          onChange={by => change({ by: by as IQuery['by'] })}
        />
      </div>
    </div>
  );
}

function Select(props: {
  label: string;
  all: string;
  value: string;
  values: string[];
  labels?: string[];
  onChange: (value: string) => void;
}): React.ReactElement {
  return (
    <select
      aria-label={props.label}
      title={props.label}
      value={props.value}
      onChange={event => props.onChange(event.target.value)}
    >
      <option value="">{props.all}</option>
      {props.values.map((value, i) => (
        <option key={value} value={value}>
          {props.labels?.[i] ?? value}
        </option>
      ))}
    </select>
  );
}

function Rows(props: IQueueProps): React.ReactElement {
  const { model, trans } = props;
  const box = React.useRef<HTMLDivElement>(null);
  const [top, setTop] = React.useState(0);
  const [height, setHeight] = React.useState(600);
  const [current, setCurrent] = React.useState(0);
  const hasFocus = React.useRef(false);
  const total = model.page.total;
  const first = Math.max(0, Math.floor(top / ROW_PX) - SPARE);
  const last = Math.min(total, Math.ceil((top + height) / ROW_PX) + SPARE);

  React.useEffect(() => {
    const element = box.current;
    if (!element) {
      return;
    }
    const observer = new ResizeObserver(() =>
      setHeight(element.clientHeight || 600)
    );
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  React.useEffect(() => model.setWindow(first, last), [first, last]);

  const isJob = (index: number) => {
    const row = model.row(index);
    return row !== undefined && !('heading' in row);
  };
  const focus = (index: number, options?: FocusOptions) =>
    box.current
      ?.querySelector<HTMLElement>(`[data-index="${index}"]`)
      ?.focus(options);
  const go = (index: number) => {
    let to = Math.max(0, Math.min(total - 1, index));
    const row = model.row(to);
    if (row && 'heading' in row) {
      to = to > current || to === 0 ? to + 1 : to - 1; // a heading is stepped over
    }
    const element = box.current;
    setCurrent(to);
    if (element) {
      const y = to * ROW_PX;
      if (y < element.scrollTop) {
        element.scrollTop = y;
      } else if (y + ROW_PX > element.scrollTop + element.clientHeight) {
        element.scrollTop = y + ROW_PX - element.clientHeight;
      }
    }
    requestAnimationFrame(() => focus(to));
  };
  const onKeyDown = (event: React.KeyboardEvent) => {
    const page = Math.max(1, Math.floor(height / ROW_PX) - 1);
    const steps: { [key: string]: number } = {
      ArrowDown: current + 1,
      ArrowUp: current - 1,
      PageDown: current + page,
      PageUp: current - page,
      Home: 0,
      End: total - 1
    };
    const row = model.row(current);
    if (event.key in steps) {
      event.preventDefault();
      go(steps[event.key]);
    } else if (event.key === 'Enter' && row && !('heading' in row)) {
      void props.commands.execute(CommandIDs.open, { id: row.id });
    }
  };
  React.useEffect(() => {
    // a row that became a heading takes the focus with it, and no event says so
    if (hasFocus.current && document.activeElement === document.body) {
      const near = [current, current + 1, current - 1].find(isJob);
      focus(near ?? current, { preventScroll: true });
    }
  });
  // one row is in the order of Tab: the current one while it exists, else the first that is seen
  let stop = current >= first && current < last && isJob(current) ? current : 0;
  for (let i = Math.ceil(top / ROW_PX); !isJob(stop) && i < last; i++) {
    stop = i;
  }
  const rows = [];
  for (let index = first; index < last; index++) {
    rows.push(
      <RowView
        {...props}
        key={index}
        index={index}
        row={model.row(index)}
        isCurrent={index === current}
        isTabStop={index === stop}
        onFocus={() => setCurrent(index)}
      />
    );
  }
  return (
    <div
      ref={box}
      className="jp-HPCQueue-rows"
      role="listbox"
      aria-label={trans.__('Jobs')}
      onScroll={event => setTop(event.currentTarget.scrollTop)}
      onKeyDown={onKeyDown}
      onFocus={() => (hasFocus.current = true)}
      onBlur={() => (hasFocus.current = false)}
    >
      <div
        role="presentation"
        style={{ height: total * ROW_PX, position: 'relative' }}
      >
        {rows}
      </div>
    </div>
  );
}

function RowView(
  props: IQueueProps & {
    index: number;
    row: IRow | undefined;
    isCurrent: boolean;
    isTabStop: boolean;
    onFocus: () => void;
  }
): React.ReactElement {
  const { row, index, trans } = props;
  const style = { top: index * ROW_PX, height: ROW_PX };
  if (!row) {
    return <div className="jp-HPCQueue-row jp-mod-empty" style={style} />;
  }
  if ('heading' in row) {
    const name =
      props.model.query.by === 'state' ? words(row.heading, trans) : '';
    return (
      <HeadingView
        heading={{ ...row, heading: name || row.heading }}
        style={style}
      />
    );
  }
  const live = isLive(row);
  const where = [
    ...place(row, trans),
    row.tasks ? trans._n('%1 task', '%1 tasks', row.tasks) : ''
  ];
  // what a person wants to know next: why it waits, how far it is, how it ended
  const how = row.state === 'COMPLETED' ? '' : row.reason;
  const next = live ? [how, times(row, trans)] : [times(row, trans), how];
  return (
    <div
      className={`jp-HPCQueue-row jp-mod-${look(row.state)}${row.foreign ? ' jp-mod-foreign' : ''}`}
      style={style}
      role="option"
      aria-selected={props.isCurrent}
      aria-posinset={index + 1}
      aria-setsize={props.model.page.total}
      tabIndex={props.isTabStop ? 0 : -1}
      onFocus={props.onFocus}
      data-index={index}
      data-job={row.id}
      title={[row.name, row.reason].filter(each => each).join('\n')}
      onClick={() => props.commands.execute(CommandIDs.open, { id: row.id })}
    >
      <span className="jp-HPC-sign" aria-hidden="true">
        {sign(row.state)}
      </span>
      <div className="jp-HPCQueue-words">
        <div className="jp-HPCQueue-name">
          <b>{row.name || row.id}</b>
          {row.foreign && <Foreign trans={trans} />}
          <span className="jp-HPC-state">{words(row.state, trans)}</span>
        </div>
        <div className="jp-HPCQueue-detail">
          {where.filter(each => each).join(' · ')}
        </div>
        <div className="jp-HPCQueue-detail">
          {next.filter(each => each).join(' · ')}
        </div>
        <Elapsed job={row} trans={trans} />
      </div>
    </div>
  );
}

function HeadingView(props: {
  heading: IHeading;
  style: React.CSSProperties;
}): React.ReactElement {
  return (
    <div
      className="jp-HPCQueue-heading"
      style={props.style}
      role="presentation"
    >
      <span>{props.heading.heading || '–'}</span>
      <span>{props.heading.count}</span>
    </div>
  );
}

/** The job that a context menu was opened on. */
export function jobIdAt(node: HTMLElement): string | undefined {
  return node.closest<HTMLElement>('[data-job]')?.dataset.job;
}

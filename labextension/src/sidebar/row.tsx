import { TranslationBundle } from '@jupyterlab/translation';
import { CommandRegistry } from '@lumino/commands';
import * as React from 'react';
import { actClasses } from '../jobs/acts';
import { CommandIDs } from '../jobs/commandids';
import { isLive, look, place, sign, times, words } from '../jobs/format';
import { Sparkline } from '../parts/charts';
import { Elapsed } from '../parts/elapsed';
import { Foreign } from '../parts/foreign';
import { When } from '../parts/when';
import { IHeading, IJob, IRow } from '../server/types';
import { ROW_PX } from '../parts/scrolling';

/** A job, a heading, or the place of a row that is on its way; drawn anew when it says something else. */
export const RowView = React.memo(function RowView(props: {
  commands: CommandRegistry;
  trans: TranslationBundle;

  index: number;
  total: number;
  row: IRow | undefined;
  /** When a job ended is said by days from today. */
  today: string;
  /** The headings are states. */
  isByState: boolean;
  isCurrent: boolean;
  isTabStop: boolean;
  isUnfolded: boolean;
  onUnfold: (id: string, isOpen: boolean) => void;
  onFocus: (index: number) => void;
}): React.ReactElement {
  const { row, index, trans } = props;
  const style = { top: index * ROW_PX, height: ROW_PX };
  if (!row) {
    return <div className="jp-HPCQueue-row jp-mod-empty" style={style} />;
  }
  if ('heading' in row) {
    const name = props.isByState ? words(row.heading, trans) : '';
    return (
      <HeadingView
        heading={{ ...row, heading: name || row.heading }}
        style={style}
      />
    );
  }
  const live = isLive(row);
  const open = (args: { id: string; preview?: boolean }) =>
    props.commands.execute(CommandIDs.open, args);
  const where = [...place(row, trans), tasks(row, trans)];
  // what a person wants to know next: why it waits, how far it is, how it ended
  const how = row.state === 'COMPLETED' ? '' : row.reason;
  const next = live ? [how, times(row, trans)] : [times(row, trans), how];
  return (
    <div
      className={classes(row)}
      style={style}
      role="treeitem"
      aria-level={row.array ? 2 : 1}
      aria-expanded={canUnfold(row) ? props.isUnfolded : undefined}
      aria-selected={props.isCurrent}
      aria-posinset={index + 1}
      aria-setsize={props.total}
      tabIndex={props.isTabStop ? 0 : -1}
      onFocus={() => props.onFocus(index)}
      data-index={index}
      data-job={row.id}
      title={[row.name, row.reason].filter(each => each).join('\n')}
      onClick={() => void open({ id: row.id, preview: true })}
      onDoubleClick={() => void open({ id: row.id })}
    >
      <span className="jp-HPC-sign" aria-hidden="true">
        {sign(row.state)}
      </span>
      <div className="jp-HPCQueue-words">
        <div className="jp-HPCQueue-name">
          {canUnfold(row) && (
            <span
              className="jp-HPCQueue-fold"
              aria-hidden="true"
              onClick={event => {
                event.stopPropagation();
                props.onUnfold(row.id, !props.isUnfolded);
              }}
            >
              {props.isUnfolded ? '▾' : '▸'}
            </span>
          )}
          <b>{row.name || row.id}</b>
          {row.foreign && <Foreign trans={trans} />}
          <span className="jp-HPC-state">{words(row.state, trans)}</span>
        </div>
        <div className="jp-HPCQueue-detail">
          {where.filter(each => each).join(' · ')}
        </div>
        <div className="jp-HPCQueue-detail jp-HPCQueue-how">
          <span>
            {row.ended_at !== null && (
              <>
                <When moment={row.ended_at} trans={trans} />
                {next.some(each => each) && ' · '}
              </>
            )}
            {next.filter(each => each).join(' · ')}
          </span>
          {!how && row.metrics.length > 0 && (
            <Sparkline metric={row.metrics[0]} trans={trans} />
          )}
        </div>
        <Elapsed job={row} trans={trans} />
      </div>
    </div>
  );
});

/** Whether a row has tasks that the list can show under it. */
export function canUnfold(row: IJob): boolean {
  return row.foreign && row.tasks > 0;
}

function classes(row: IJob): string {
  return (
    `jp-HPC-jobrow jp-HPCQueue-row jp-mod-${look(row.state)}` +
    (row.foreign ? ' jp-mod-foreign' : '') +
    (row.array ? ' jp-mod-task' : '') +
    actClasses(row)
  );
}

/** `200 tasks`; of an array that we did not submit how many are in which state. */
function tasks(row: IJob, trans: TranslationBundle): string {
  const states = Object.entries(row.task_states);
  if (states.length) {
    return states
      .map(([state, count]) => `${count} ${words(state, trans)}`)
      .join(', ');
  }
  return row.tasks ? trans._n('%1 task', '%1 tasks', row.tasks) : '';
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

import { TranslationBundle } from '@jupyterlab/translation';
import { CommandRegistry } from '@lumino/commands';
import * as React from 'react';
import { actsOf } from '../jobs/acts';
import { CommandIDs } from '../jobs/commandids';
import { IHPCJobs } from '../jobs/tokens';
import { IJob } from '../server/types';
import { canUnfold, RowView } from './row';
import { reached, ROW_PX, showing, useWindow } from '../parts/scrolling';

export interface IRowsProps {
  model: IHPCJobs;
  commands: CommandRegistry;
  trans: TranslationBundle;
}

/** The arrays whose tasks are listed under them. */
function unfoldedIn(model: IHPCJobs): string[] {
  return model.query.unfolded.split(' ').filter(id => id);
}

/** The rows that are seen, which arrows, Home, End and Page keys walk through; no others exist. */
export function Rows(props: IRowsProps): React.ReactElement {
  const { model, trans } = props;
  const box = React.useRef<HTMLDivElement>(null);
  const [current, setCurrent] = React.useState(0);
  const hasFocus = React.useRef(false);
  const total = model.page.total;
  const { first, last, seen, height } = useWindow(box, total);

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
    let to = index;
    const row = model.row(to);
    if (row && 'heading' in row) {
      to = to > current || to === 0 ? to + 1 : to - 1; // a heading is stepped over
    }
    const element = box.current;
    setCurrent(to);
    if (element) {
      element.scrollTop = showing(to, element.scrollTop, element.clientHeight);
    }
    requestAnimationFrame(() => focus(to));
  };
  const unfolded = unfoldedIn(model);
  const unfold = React.useCallback(
    (id: string, isOpen: boolean) => {
      const others = unfoldedIn(model).filter(each => each !== id);
      const now = (isOpen ? [...others, id] : others).join(' ');
      model.query = { ...model.query, unfolded: now };
    },
    [model]
  );
  /** Fold and unfold, and from a task to its array, as in any tree. */
  const walk = (row: IJob, isRight: boolean) => {
    const isOpen = unfolded.includes(row.id);
    if (canUnfold(row) && isOpen !== isRight) {
      unfold(row.id, isRight);
    } else if (canUnfold(row) && isRight) {
      go(current + 1);
    } else if (row.array && !isRight) {
      for (let i = current; i >= 0; i--) {
        const above = model.row(i);
        if (above && 'id' in above && above.id === row.array) {
          go(i);
          return;
        }
      }
    }
  };
  const onKeyDown = (event: React.KeyboardEvent) => {
    const to = reached(event.key, current, total, height);
    const row = model.row(current);
    if (to !== undefined) {
      event.preventDefault();
      go(to);
    } else if (!row || 'heading' in row) {
      return;
    } else if (event.key === 'Enter') {
      void props.commands.execute(CommandIDs.open, { id: row.id });
    } else if (event.key === 'Delete' && actsOf(row).includes('cancel')) {
      void props.commands.execute(CommandIDs.cancel, { id: row.id });
    } else if (event.key === 'ArrowRight' || event.key === 'ArrowLeft') {
      walk(row, event.key === 'ArrowRight');
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
  for (let i = seen; !isJob(stop) && i < last; i++) {
    stop = i;
  }
  const today = new Date().toDateString();
  const rows = [];
  for (let index = first; index < last; index++) {
    const row = model.row(index);
    const id = row && 'id' in row ? row.id : '';
    rows.push(
      <RowView
        commands={props.commands}
        trans={trans}
        key={index}
        index={index}
        total={total}
        row={row}
        today={today}
        isByState={model.query.by === 'state'}
        isUnfolded={unfolded.includes(id)}
        onUnfold={unfold}
        isCurrent={index === current}
        isTabStop={index === stop}
        onFocus={setCurrent}
      />
    );
  }
  return (
    <div
      ref={box}
      className="jp-HPCQueue-rows"
      role="tree"
      aria-label={trans.__('Jobs')}
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

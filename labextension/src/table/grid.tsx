import { TranslationBundle } from '@jupyterlab/translation';
import { CommandRegistry } from '@lumino/commands';
import * as React from 'react';
import { actClasses } from '../jobs/acts';
import { CommandIDs } from '../jobs/commandids';
import { look } from '../jobs/format';
import { reached, showing, useWindow } from '../parts/scrolling';
import { ITableRow } from '../server/types';
import { ariaSort, IColumn, nextSort } from './columns';
import { TableModel } from './model';

const ROW_PX = 28;
const CHECK_PX = 32;

/** The rows that are seen, of as many as there are; no others exist. Keys walk, choose and open. */
export function Grid(props: {
  model: TableModel;
  commands: CommandRegistry;
  trans: TranslationBundle;
  columns: IColumn[];
  onCancel: () => void;
}): React.ReactElement {
  const { model, trans, columns } = props;
  const box = React.useRef<HTMLDivElement>(null);
  const [current, setCurrent] = React.useState(0);
  const total = model.page.total;
  const { first, last, seen, height } = useWindow(box, total, ROW_PX);

  React.useEffect(() => model.setWindow(first, last), [first, last]);

  const go = (to: number) => {
    const element = box.current;
    setCurrent(to);
    if (element) {
      const room = element.clientHeight - ROW_PX; // the head stays over them
      element.scrollTop = showing(to, element.scrollTop, room, ROW_PX);
    }
    requestAnimationFrame(() =>
      element?.querySelector<HTMLElement>(`[data-index="${to}"]`)?.focus()
    );
  };
  const onKeyDown = (event: React.KeyboardEvent) => {
    const row = model.row(current);
    const to = reached(event.key, current, total, height, ROW_PX);
    if (to !== undefined) {
      go(to);
      if (event.shiftKey) {
        model.extend(to);
      }
    } else if (event.key === 'Enter' && row) {
      void props.commands.execute(CommandIDs.open, { id: row.id });
    } else if (event.key === ' ') {
      model.toggle(current);
    } else if (event.key === 'a' && (event.ctrlKey || event.metaKey)) {
      model.choose(model.here);
    } else if (event.key === 'Escape' && model.chosen.length) {
      model.choose([]);
    } else if (event.key === 'Delete' && row) {
      if (!model.chosen.length) {
        model.toggle(current);
      }
      props.onCancel();
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  };
  const open = React.useCallback(
    (id: string, preview: boolean) =>
      void props.commands.execute(
        CommandIDs.open,
        preview ? { id, preview } : { id }
      ),
    [props.commands]
  );
  const onClick = React.useCallback(
    (event: React.MouseEvent, index: number) => {
      const row = model.row(index);
      const isCheck = (event.target as Element).closest('.jp-HPCTable-check');
      setCurrent(index);
      if (event.shiftKey) {
        event.preventDefault();
        model.extend(index);
      } else if (isCheck || event.ctrlKey || event.metaKey) {
        model.toggle(index);
      } else if (row) {
        open(row.id, true);
      }
    },
    [model, open]
  );
  const template = React.useMemo(() => templateOf(columns), [columns]);
  const stop = current >= first && current < last ? current : seen;
  const today = new Date().toDateString();
  const rows = [];
  for (let index = first; index < last; index++) {
    rows.push(
      <Row
        key={index}
        index={index}
        row={model.row(index)}
        today={today}
        columns={columns}
        template={template}
        isChosen={model.isChosen(model.row(index)?.id ?? '')}
        isTabStop={index === stop}
        onFocus={setCurrent}
        onClick={onClick}
        onOpen={open}
      />
    );
  }
  return (
    <div
      ref={box}
      className="jp-HPCTable-grid"
      role="grid"
      aria-label={trans.__('Jobs')}
      aria-rowcount={total + 1}
      aria-multiselectable="true"
    >
      <Heads {...{ model, trans, columns, template }} />
      <div
        role="rowgroup"
        style={{
          height: total * ROW_PX,
          width: template.width,
          minWidth: '100%',
          position: 'relative'
        }}
        onKeyDown={onKeyDown}
      >
        {rows}
      </div>
    </div>
  );
}

function templateOf(columns: IColumn[]): React.CSSProperties {
  const widths = columns.map(column => `${column.px}px`).join(' ');
  return {
    gridTemplateColumns: `${CHECK_PX}px ${widths}`,
    width: CHECK_PX + columns.reduce((sum, each) => sum + each.px, 0),
    minWidth: '100%'
  };
}

function Heads(props: {
  model: TableModel;
  trans: TranslationBundle;
  columns: IColumn[];
  template: React.CSSProperties;
}): React.ReactElement {
  const { model, trans, columns } = props;
  const { sort } = model.query;
  const isAll = model.isAllChosen;
  return (
    <div role="rowgroup" className="jp-HPCTable-head">
      <div
        role="row"
        aria-rowindex={1}
        className="jp-HPCTable-heads"
        style={props.template}
      >
        <span role="columnheader">
          <input
            type="checkbox"
            aria-label={trans.__('Choose all that are here')}
            checked={isAll}
            onChange={() => model.choose(isAll ? [] : model.here)}
          />
        </span>
        {columns.map(column => (
          <span
            key={column.name}
            role="columnheader"
            aria-sort={ariaSort(column.sort, sort)}
            className={column.isNumber ? 'jp-mod-number' : ''}
          >
            {column.sort ? (
              <button
                onClick={() => {
                  model.query = {
                    ...model.query,
                    sort: nextSort(column.sort as string, sort)
                  };
                }}
              >
                {column.label}
                <span aria-hidden="true">
                  {
                    { ascending: ' ▲', descending: ' ▼', none: '' }[
                      ariaSort(column.sort, sort)
                    ]
                  }
                </span>
              </button>
            ) : (
              column.label
            )}
          </span>
        ))}
      </div>
    </div>
  );
}

/** Drawn anew when it says something else. */
const Row = React.memo(function Row(props: {
  index: number;
  row: ITableRow | undefined;
  /** When a job began is said by days from today. */
  today: string;
  columns: IColumn[];
  template: React.CSSProperties;
  isChosen: boolean;
  isTabStop: boolean;
  onFocus: (index: number) => void;
  onClick: (event: React.MouseEvent, index: number) => void;
  onOpen: (id: string, preview: boolean) => void;
}): React.ReactElement {
  const { row, index, columns } = props;
  const style = { ...props.template, top: index * ROW_PX, height: ROW_PX };
  if (!row) {
    return (
      <div className="jp-HPCTable-row" role="presentation" style={style} />
    );
  }
  return (
    <div
      className={
        `jp-HPC-jobrow jp-HPCTable-row jp-mod-${look(row.state)}` +
        (row.foreign ? ' jp-mod-foreign' : '') +
        actClasses(row)
      }
      style={style}
      role="row"
      aria-rowindex={index + 2}
      aria-selected={props.isChosen}
      tabIndex={props.isTabStop ? 0 : -1}
      data-index={index}
      data-job={row.id}
      onFocus={() => props.onFocus(index)}
      onClick={event => props.onClick(event, index)}
      onDoubleClick={() => props.onOpen(row.id, false)}
    >
      <span role="gridcell" className="jp-HPCTable-check">
        <input
          type="checkbox"
          aria-hidden="true" // the row says whether it is chosen
          tabIndex={-1}
          checked={props.isChosen}
          readOnly
        />
      </span>
      {columns.map(column => {
        const shown = column.cell(row);
        return (
          <span
            key={column.name}
            role="gridcell"
            className={column.isNumber ? 'jp-mod-number' : ''}
            title={typeof shown === 'string' ? shown : undefined}
          >
            {shown}
          </span>
        );
      })}
    </div>
  );
});

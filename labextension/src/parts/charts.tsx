import { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';
import { IChart, IMetric } from '../server/types';
import { IScale, part, scale, ticks, written } from './scales';

const WIDTH = 280;
const HEIGHT = 112;
const LEFT = 46;
const RIGHT = 8;
const TOP = 6;
const BOTTOM = 18;
const LOOKS = 6; // of lines, in charts.css
const MOST_LINES = 8; // that are told apart
const SPARK = [64, 16];

export interface IChartsProps {
  charts: readonly IChart[];
  trans: TranslationBundle;
  /** So many are drawn; how many more there are is said. */
  most?: number;
}

/** What a cell printed or logged in numbers: a small chart for each name, and words where there is one value only. */
export function Charts(props: IChartsProps): React.ReactElement | null {
  const { charts, trans, most = 24 } = props;
  const isLine = (chart: IChart) =>
    chart.lines.some(line => line.points.length > 1);
  const drawn = charts.filter(isLine);
  const single = charts.filter(chart => !isLine(chart));
  if (!charts.length) {
    return null;
  }
  const more = drawn.length - most;
  return (
    <div className="jp-HPCCharts">
      {drawn.length > 0 && (
        <div className="jp-HPCCharts-all">
          {drawn.slice(0, most).map(chart => (
            <Chart key={chart.name} chart={chart} trans={trans} />
          ))}
        </div>
      )}
      {single.length > 0 && (
        <p className="jp-HPCCharts-words">
          {single
            .map(each => `${each.name} ${chartWords(each, trans)}`)
            .join(' · ')}
        </p>
      )}
      {more > 0 && (
        <p className="jp-HPCCharts-words">
          {trans._n('and %1 more', 'and %1 more', more)}
        </p>
      )}
    </div>
  );
}

/** Last value and range of a chart, in words. */
export function chartWords(chart: IChart, trans: TranslationBundle): string {
  const { lines, tasks = 1 } = chart;
  const known = (values: (number | null)[]) =>
    values.filter((value): value is number => value !== null);
  const ranges = chart.tasks ? [chart] : lines;
  const low = Math.min(...known(ranges.map(each => each.min ?? null)));
  const high = Math.max(...known(ranges.map(each => each.max ?? null)));
  const last =
    tasks > lines.length && lines.length > 1
      ? trans.__('%1 tasks (%2 drawn)', tasks, lines.length)
      : tasks > 1
        ? trans.__('%1 tasks', tasks)
        : written(lines[0].last);
  return low < high
    ? trans.__('%1, from %2 to %3', last, written(low), written(high))
    : last;
}

function Chart(props: {
  chart: IChart;
  trans: TranslationBundle;
}): React.ReactElement {
  const { chart, trans } = props;
  const [unit, per] = unitOf(chart, trans);
  const points = chart.lines.flatMap(line => line.points as IPoint[]);
  const across = scale(
    points.map(([x]) => x / per),
    false
  );
  const up = scale(points.map(([, y]) => y).filter(y => y !== null));
  const words = chartWords(chart, trans);
  const isCrowd = chart.lines.length > MOST_LINES;
  const isLog = up.isLog ? trans.__('log scale') : '';
  const label = [`${chart.name} ${words}`, trans.__('by %1', unit), isLog];
  return (
    <figure className="jp-HPCChart">
      <figcaption>
        <b>{chart.name}</b> <span>{words}</span>
      </figcaption>
      <svg
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        role="img"
        aria-label={label.filter(each => each).join(', ')}
      >
        <path
          className="jp-HPCChart-axis"
          d={`M${LEFT} ${TOP}V${HEIGHT - BOTTOM}H${WIDTH - RIGHT}`}
        />
        {ticks(up).map(tick => (
          <React.Fragment key={tick}>
            <path
              className="jp-HPCChart-grid"
              d={`M${LEFT} ${down(up, tick)}H${WIDTH - RIGHT}`}
            />
            <text x={LEFT - 4} y={down(up, tick) + 3.5} textAnchor="end">
              {written(tick)}
            </text>
          </React.Fragment>
        ))}
        {ticks(across)
          .filter(tick => part(across, tick) < 0.7) // the end stands where the last would
          .map(tick => (
            <text
              key={tick}
              x={right(across, tick)}
              y={HEIGHT - 5}
              textAnchor="middle"
            >
              {written(tick)}
            </text>
          ))}
        <text x={WIDTH - RIGHT} y={HEIGHT - 5} textAnchor="end">
          {`${written(across.high)} ${unit}`}
        </text>
        {isLog && (
          <text x={WIDTH - RIGHT} y={TOP + 6} textAnchor="end">
            {isLog}
          </text>
        )}
        {chart.lines.map((line, i) => (
          <path
            key={line.label}
            className={`jp-HPCChart-line ${isCrowd ? 'jp-mod-crowd' : `jp-mod-${i % LOOKS}`}`}
            d={path(line.points as IPoint[], across, up, per)}
          >
            {isCrowd && <title>{`${line.label} ${written(line.last)}`}</title>}
          </path>
        ))}
      </svg>
      {chart.lines.length > 1 && !isCrowd && (
        <ul className="jp-HPCChart-legend">
          {chart.lines.map((line, i) => (
            <li key={line.label}>
              <svg width={18} height={8} aria-hidden="true">
                <path
                  className={`jp-HPCChart-line jp-mod-${i % LOOKS}`}
                  d="M0 4H18"
                />
              </svg>{' '}
              {line.label} {written(line.last)}
            </li>
          ))}
        </ul>
      )}
    </figure>
  );
}

type IPoint = [number, number | null];

function unitOf(chart: IChart, trans: TranslationBundle): [string, number] {
  if (chart.by !== 'time') {
    return [chart.by || trans.__('values'), 1];
  }
  const longest = Math.max(
    0,
    ...chart.lines.map(line => line.points[line.points.length - 1]?.[0] ?? 0)
  );
  return longest < 120 ? ['s', 1] : longest < 7200 ? ['min', 60] : ['h', 3600];
}

const round = (value: number) => Math.round(value * 10) / 10;

function down(up: IScale, value: number): number {
  return round(TOP + (1 - part(up, value)) * (HEIGHT - BOTTOM - TOP));
}

function right(across: IScale, value: number): number {
  return round(LEFT + part(across, value) * (WIDTH - LEFT - RIGHT));
}

/** A line, broken where a value is none; what is alone there is a dot. */
function path(
  points: IPoint[],
  across: IScale,
  up: IScale,
  per: number
): string {
  let isDown = false;
  return points
    .map(([x, y]) => {
      if (y === null) {
        isDown = false;
        return '';
      }
      const place = `${right(across, x / per)} ${down(up, y)}`;
      const piece = isDown ? `L${place}` : `M${place}h.1`;
      isDown = true;
      return piece;
    })
    .join('');
}

/** How a number went, as a line as small as a word, with its name and last value beside. */
export function Sparkline(props: {
  metric: IMetric;
  trans: TranslationBundle;
}): React.ReactElement {
  const { metric, trans } = props;
  const { name, last, trend, tasks } = metric;
  const [width, height] = SPARK;
  const up = scale([...trend]);
  const line = trend.map((value, i) => {
    const x = (i / Math.max(trend.length - 1, 1)) * (width - 2) + 1;
    return `${round(x)},${round((1 - part(up, value)) * (height - 4) + 2)}`;
  });
  return (
    <span className="jp-HPCSpark" title={tasks ? range(metric, trans) : ''}>
      {trend.length > 1 && (
        <svg
          viewBox={`0 0 ${width} ${height}`}
          preserveAspectRatio="none"
          height={height}
          aria-hidden="true"
        >
          <polyline
            className="jp-HPCChart-line jp-mod-0"
            vectorEffect="non-scaling-stroke"
            points={line.join(' ')}
          />
        </svg>
      )}
      <span>
        {name} <b>{written(last)}</b>
        {tasks && ` ${trans.__('median of %1', tasks)}`}
      </span>
    </span>
  );
}

function range(metric: IMetric, trans: TranslationBundle): string {
  const { tasks, min = null, max = null } = metric;
  const words = trans._n('median of %1 task', 'median of %1 tasks', tasks ?? 0);
  return min === null || max === null
    ? words
    : trans.__('%1, from %2 to %3', words, written(min), written(max));
}

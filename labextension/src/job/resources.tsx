import { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';
import { size } from '../jobs/format';
import { IJobDetail } from '../server/types';
import { bytes, byteTicks, seconds, ticks, timeTicks } from './axes';
import { Section } from './section';

export interface ISeries {
  title: string;
  points: [number, number][];
  most: number;
  show: (value: number) => string;
  /** Round numbers for its axis, and what stands there. */
  ticks: (most: number) => number[];
  tick: (value: number) => string;
  limit?: number;
}

/** What the worker measured over time: cpu, memory, gpu; nothing of a job that was too brief for that. */
export function Resources(props: {
  job: IJobDetail;
  trans: TranslationBundle;
}): React.ReactElement | null {
  const { job, trans } = props;
  const series = measured(job, trans);
  if (!series.length) {
    return null;
  }
  return (
    <Section title={trans.__('Use')}>
      <div className="jp-HPCJob-charts">
        {series.map(each => (
          <Chart key={each.title} {...each} trans={trans} />
        ))}
      </div>
    </Section>
  );
}

/** What the worker measured, a series for each resource; needs two samples. */
export function measured(job: IJobDetail, trans: TranslationBundle): ISeries[] {
  const samples = job.samples;
  if (samples.length < 2) {
    return [];
  }
  const start = samples[0].t;
  const memory = samples.map((s): [number, number] => [s.t - start, s.rss]);
  const cpu = samples
    .slice(1)
    .map((s, i): [number, number] => [
      s.t - start,
      Math.max(0, (s.cpu_s - samples[i].cpu_s) / (s.t - samples[i].t || 1))
    ]);
  const asked = Number(job.resources.memory) || undefined;
  const series: ISeries[] = [
    {
      title: trans.__('CPUs in use'),
      points: cpu,
      most: Math.max(1, ...cpu.map(p => p[1])),
      show: v => String(Math.round(v * 10) / 10),
      ticks,
      tick: String,
      limit: Number(job.resources.cpus) || undefined
    },
    {
      title: trans.__('Memory'),
      points: memory,
      most: Math.max(...memory.map(p => p[1])),
      show: size,
      ticks: byteTicks,
      tick: bytes,
      limit: asked
    }
  ];
  const count = Math.max(0, ...samples.map(s => s.gpus?.length ?? 0));
  for (let i = 0; i < count; i++) {
    series.push({
      title: trans.__('GPU %1', i),
      points: samples
        .filter(s => s.gpus?.[i])
        .map(s => [s.t - start, Number(s.gpus![i].percent) || 0]),
      most: 100,
      show: v => `${Math.round(v)} %`,
      ticks: () => [0, 50, 100],
      tick: v => `${v} %`
    });
  }
  return series;
}

/** A line over time, with round numbers at its axes. */
function Chart(
  props: ISeries & { trans: TranslationBundle }
): React.ReactElement {
  const { points, show, limit, trans, title } = props;
  const end = points[points.length - 1]?.[0] || 1;
  const isNear = !!limit && limit < 4 * props.most;
  const marks = props.ticks(Math.max(props.most, isNear ? limit : 0));
  const top = marks[marks.length - 1];
  const x = (t: number) => (100 * t) / end;
  const y = (v: number) => 100 - (100 * v) / top;
  const line = points.map(([t, v]) => `${x(t).toFixed(2)},${y(v).toFixed(2)}`);
  const peak = Math.max(...points.map(p => p[1]));
  const words = limit
    ? trans.__('peak %1 of %2', show(peak), show(limit))
    : trans.__('peak %1', show(peak));
  return (
    <figure className="jp-HPCUse">
      <figcaption>
        <b>{title}</b> <span>{words}</span>
      </figcaption>
      <div className="jp-HPCUse-plot">
        <div className="jp-HPCUse-y" aria-hidden="true">
          {marks.map(v => (
            <span key={v} style={{ top: `${y(v)}%` }}>
              {props.tick(v)}
            </span>
          ))}
        </div>
        <svg
          viewBox="0 0 100 100"
          role="img"
          aria-label={`${title}: ${words}`}
          preserveAspectRatio="none"
        >
          {marks.map(v => (
            <line
              key={v}
              className="jp-HPCUse-grid"
              x1={0}
              x2={100}
              y1={y(v)}
              y2={y(v)}
            />
          ))}
          {isNear && (
            <line
              className="jp-HPC-limit"
              x1={0}
              x2={100}
              y1={y(limit)}
              y2={y(limit)}
            />
          )}
          <polyline className="jp-HPC-line" points={line.join(' ')} />
        </svg>
        <div className="jp-HPCUse-x" aria-hidden="true">
          {timeTicks(end).map(t => (
            <span key={t} style={{ left: `${x(t)}%` }}>
              {seconds(t)}
            </span>
          ))}
        </div>
      </div>
    </figure>
  );
}

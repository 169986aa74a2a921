import { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';
import { size } from '../jobs/format';
import { IJobDetail } from '../server/types';

const WIDTH = 640;
const HEIGHT = 90;

export interface ISeries {
  title: string;
  points: [number, number][];
  most: number;
  show: (value: number) => string;
  limit?: number;
}

/** What the worker measured: cpu, memory, gpu over time. */
export function Resources(props: {
  job: IJobDetail;
  trans: TranslationBundle;
}): React.ReactElement {
  const { job, trans } = props;
  const samples = job.samples;
  if (samples.length < 2) {
    return (
      <div className="jp-HPC-empty">
        <p>
          {trans.__('It ran too briefly to be measured, or has not begun.')}
        </p>
      </div>
    );
  }
  return (
    <div className="jp-HPCJob-charts">
      {measured(job, trans).map(each => (
        <Chart key={each.title} {...each} trans={trans} />
      ))}
    </div>
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
      show: v => v.toFixed(1),
      limit: Number(job.resources.cpus) || undefined
    },
    {
      title: trans.__('Memory'),
      points: memory,
      most: Math.max(...memory.map(p => p[1])),
      show: size,
      limit: asked
    }
  ];
  const count = Math.max(0, ...samples.map(s => s.gpus?.length ?? 0));
  for (let i = 0; i < count; i++) {
    series.push({
      title: trans.__('GPU %1, percent', i),
      points: samples
        .filter(s => s.gpus?.[i])
        .map(s => [s.t - start, Number(s.gpus![i].percent) || 0]),
      most: 100,
      show: v => `${Math.round(v)} %`
    });
  }
  return series;
}

function Chart(
  props: ISeries & { trans: TranslationBundle }
): React.ReactElement {
  const { points, show, limit, trans } = props;
  const end = points[points.length - 1]?.[0] || 1;
  const top = Math.max(props.most, limit && limit < 4 * props.most ? limit : 0);
  const x = (t: number) => (t / end) * WIDTH;
  const y = (v: number) => HEIGHT - 4 - (v / (top || 1)) * (HEIGHT - 12);
  const line = points.map(([t, v]) => `${x(t).toFixed(1)},${y(v).toFixed(1)}`);
  const peak = Math.max(...points.map(p => p[1]));
  const words = limit
    ? trans.__('peak %1 of %2', show(peak), show(limit))
    : trans.__('peak %1', show(peak));
  return (
    <figure>
      <figcaption>
        <b>{props.title}</b> {words}
      </figcaption>
      <svg
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        role="img"
        aria-label={`${props.title}: ${words}`}
        preserveAspectRatio="none"
      >
        {limit && limit <= top && (
          <line
            className="jp-HPC-limit"
            x1={0}
            x2={WIDTH}
            y1={y(limit)}
            y2={y(limit)}
          />
        )}
        <polyline className="jp-HPC-line" points={line.join(' ')} />
      </svg>
    </figure>
  );
}

import { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';
import { size } from '../jobs/format';
import { IJobDetail } from '../server/types';

const WIDTH = 72;
const HEIGHT = 16;

/** One resource as it is used now, and how it was. */
export interface IMeter {
  name: string;
  words: string;
  points: [number, number][];
  /** The upper edge of its line, unless more was used. */
  most: number;
}

/** What a job uses of what it asked for, as the kernel's own panel says it. */
export function meters(job: IJobDetail, trans: TranslationBundle): IMeter[] {
  const samples = job.samples;
  const last = samples[samples.length - 1];
  if (!last) {
    return [];
  }
  const of = (now: string, asked: string | number) =>
    asked ? trans.__('%1 of %2', now, asked) : now;
  const found: IMeter[] = [];
  const rates = samples.slice(1).map((s, i): [number, number] => {
    const { t, cpu_s } = samples[i];
    return [s.t, Math.max(0, (s.cpu_s - cpu_s) / (s.t - t || 1))];
  });
  if (rates.length) {
    const cpus = Number(job.resources.cpus) || 0;
    found.push({
      name: trans.__('cpu'),
      words: of(rates[rates.length - 1][1].toFixed(1), cpus),
      points: rates,
      most: cpus
    });
  }
  const memory = Number(job.resources.memory) || 0;
  found.push({
    name: trans.__('memory'),
    words: of(size(last.rss), memory && size(memory)),
    points: samples.map(s => [s.t, s.rss]),
    most: memory
  });
  (last.gpus ?? []).slice(0, 8).forEach((gpu, i) => {
    const number = (value: unknown) => Number(value) || 0; // nvidia-smi: [N/A]
    const held = size(number(gpu.mib_used) * 2 ** 20);
    const has = size(number(gpu.mib_total) * 2 ** 20);
    const percent = Math.round(number(gpu.percent));
    found.push({
      name: trans.__('gpu %1', i),
      words: trans.__('%1 %, %2 of %3', percent, held, has),
      points: samples
        .filter(s => s.gpus?.[i])
        .map(s => [s.t, number(s.gpus?.[i].percent)]),
      most: 100
    });
  });
  return found;
}

/** The meters as one line, and a sentence on gpus that it asked for and leaves idle. */
export function Meters(props: {
  job: IJobDetail;
  trans: TranslationBundle;
}): React.ReactElement | null {
  const { job, trans } = props;
  const found = meters(job, trans);
  if (!found.length) {
    return null;
  }
  const idle = job.foreign ? '' : job.idle;
  return (
    <>
      <ul className="jp-HPCOutput-use">
        {found.map(each => (
          <li key={each.name}>
            <span>{each.name}</span> {each.words} <Line {...each} />
          </li>
        ))}
      </ul>
      {idle && <p className="jp-HPCOutput-quiet">{idle}</p>}
    </>
  );
}

function Line(props: IMeter): React.ReactElement | null {
  const { points } = props;
  if (points.length < 2) {
    return null;
  }
  const first = points[0][0];
  const long = points[points.length - 1][0] - first || 1;
  const top = Math.max(props.most, ...points.map(([, v]) => v)) || 1;
  const path = points.map(([t, v]) => {
    const x = ((t - first) / long) * WIDTH;
    const y = HEIGHT - 1 - (v / top) * (HEIGHT - 2);
    return `${x.toFixed(1)},${y.toFixed(1)}`;
  });
  return (
    <svg width={WIDTH} height={HEIGHT} aria-hidden="true">
      <path className="jp-HPC-ground" d={`M0 ${HEIGHT - 0.5}H${WIDTH}`} />
      <polyline className="jp-HPC-line" points={path.join(' ')} />
    </svg>
  );
}

import type * as nbformat from '@jupyterlab/nbformat';
import { JSONExt, PartialJSONValue } from '@lumino/coreutils';
import { isLive } from '../jobs/format';
import { IOutputs } from '../server/types';

export const MIME = 'application/vnd.jupyter-hpc.job+json';

type IBundle = { [mime: string]: unknown };

/** The job that an output shows as it was before its end; empty for any other output. */
export function unfinished(data: IBundle | undefined): string {
  const ours = data?.[MIME] as
    { id?: unknown; state?: unknown; lacks_displays?: unknown } | undefined;
  if (typeof ours?.id !== 'string') {
    return '';
  }
  const isFinal = !isLive({ state: String(ours.state) });
  return isFinal && !ours.lacks_displays ? '' : ours.id;
}

/**
 * A cell's outputs, each card of a job that has ended replaced by how it ended and what it showed. All else stays as
 * and where it is; done again, it changes nothing. The same as `jupyter_hpc.views.outputs.finished`.
 */
export function finished(
  outputs: readonly nbformat.IOutput[],
  ended: ReadonlyMap<string, IOutputs>,
  count: number | null
): nbformat.IOutput[] {
  const found: nbformat.IOutput[] = [];
  let earlier: readonly IBundle[] = [];
  for (const output of outputs) {
    const data = output.data as IBundle | undefined;
    if (data && MIME in data) {
      earlier = [];
    }
    const job = ended.get(unfinished(data));
    if (job) {
      earlier = job.earlier;
      found.push({ ...output, data: job.card as nbformat.IMimeBundle });
      const hasNumber = output.output_type === 'execute_result'; // a cell has one such
      for (const each of job.shown) {
        found.push(inNotebook(each, hasNumber ? null : count));
      }
    } else if (!data || !earlier.some(each => isSame(each, data))) {
      found.push(output);
    }
  }
  return found;
}

function inNotebook(
  shown: IOutputs['shown'][number],
  count: number | null
): nbformat.IOutput {
  const data = shown.data as nbformat.IMimeBundle;
  const metadata = shown.metadata as nbformat.OutputMetadata;
  return shown.is_value && count !== null
    ? {
        output_type: 'execute_result',
        execution_count: count,
        data,
        metadata
      }
    : { output_type: 'display_data', data, metadata };
}

function isSame(one: IBundle, other: IBundle): boolean {
  return JSONExt.deepEqual(one as PartialJSONValue, other as PartialJSONValue);
}

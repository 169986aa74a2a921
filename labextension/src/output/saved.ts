import type * as nbformat from '@jupyterlab/nbformat';
import type { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';
import { IHPCJobs } from '../jobs/tokens';
import { IOutputs } from '../server/types';
import { finished, unfinished } from './finished';

/** What of a code cell's model is used here. */
export interface ICell {
  readonly type: string;
  readonly executionState?: string;
  readonly executionCount?: number | null;
  readonly outputs?: {
    readonly length: number;
    get(index: number): { readonly data: { [mime: string]: unknown } };
    toJSON(): nbformat.IOutput[];
    fromJSON(values: nbformat.IOutput[]): void;
  };
}

/** Write how jobs ended into notebooks as they are opened, and into open ones when a job ends. */
export function finishSaved(
  model: IHPCJobs,
  notebooks: INotebookTracker
): void {
  const look = (panel: NotebookPanel) => {
    const cells = () =>
      panel.isDisposed ? [] : [...(panel.model?.cells ?? [])];
    return finishCells(model, cells as () => ICell[]);
  };
  notebooks.widgetAdded.connect((_, panel) => {
    void panel.context.ready.then(() => look(panel)).catch(() => undefined);
  });
  model.ended.connect(() => {
    notebooks.forEach(panel => void look(panel));
  });
}

/** Ask for the jobs whose end a notebook doesn't show, and show it. A cell that runs gets outputs of its own. */
export async function finishCells(
  model: Pick<IHPCJobs, 'api' | 'live'>,
  cells: () => readonly ICell[]
): Promise<void> {
  const wanted = new Set(cells().filter(rests).flatMap(jobsOf));
  model.live.forEach(job => wanted.delete(job.id));
  const ended = new Map<string, IOutputs>();
  for (const id of wanted) {
    const found = await model.api.outputs(id).catch(() => null); // not ours, or no server extension
    if (found?.is_final) {
      ended.set(id, found);
    }
  }
  for (const cell of cells().filter(rests)) {
    if (cell.outputs && jobsOf(cell).some(id => ended.has(id))) {
      const count = cell.executionCount ?? null;
      cell.outputs.fromJSON(finished(cell.outputs.toJSON(), ended, count));
    }
  }
}

function rests(cell: ICell): boolean {
  return cell.type === 'code' && (cell.executionState ?? 'idle') === 'idle';
}

function jobsOf(cell: ICell): string[] {
  const { outputs } = cell;
  const found = Array.from({ length: outputs?.length ?? 0 }, (_, i) =>
    unfinished(outputs?.get(i).data)
  );
  return found.filter(id => id);
}

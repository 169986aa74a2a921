import { JupyterFrontEnd } from '@jupyterlab/application';
import { INotebookTracker } from '@jupyterlab/notebook';
import { nullTranslator } from '@jupyterlab/translation';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { CommandIDs } from '../src/jobs/commandids';
import { HPCApi } from '../src/server/api';
import { addPageCommands, near } from '../src/shell/pagecommands';

const said = vi.hoisted(() => ({
  copied: [] as string[],
  told: [] as string[]
}));
vi.mock('@jupyterlab/apputils', async original => ({
  ...(await original<object>()),
  Clipboard: { copyToSystem: (text: string) => said.copied.push(text) },
  Notification: Object.fromEntries(
    ['info', 'warning', 'success'].map(kind => [
      kind,
      (text: string) => said.told.push(`${kind}: ${text}`)
    ])
  )
}));
const inserted = vi.hoisted(() => [] as unknown[]);
vi.mock('../src/shell/insertcell', () => ({
  insertCell: async (
    _: unknown,
    notebooks: { currentWidget: { content: object } | null } | null,
    __: unknown,
    source: string
  ) => {
    inserted.push(source);
    return notebooks?.currentWidget ?? null;
  }
}));

function panel(path: string) {
  return { context: { path }, content: { mode: 'command' } };
}

function tracker(current: object | null, ...all: { context: object }[]) {
  return {
    currentWidget: current,
    find: (test: (each: object) => boolean) => all.find(test)
  } as unknown as INotebookTracker;
}

describe('the commands of a page', () => {
  let acts: Map<string, (id: string) => Promise<void>>;
  let executed: unknown[];
  let answers: { [name: string]: unknown };
  let isListed: boolean;

  const set = (notebooks: INotebookTracker | null) => {
    acts = new Map();
    const answer = (name: string) => async () => answers[name];
    addPageCommands({
      app: {
        commands: {
          execute: async (...args: unknown[]) => executed.push(args)
        },
        serviceManager: {
          contents: {
            get: async () => {
              if (!isListed) {
                throw new Error('404');
              }
            }
          }
        }
      } as unknown as JupyterFrontEnd,
      api: {
        cell: answer('cell'),
        job: answer('job'),
        files: answer('files'),
        sbatch: answer('sbatch')
      } as unknown as HPCApi,
      trans: nullTranslator.load('jupyter_hpc'),
      notebooks,
      add: (command, _, act) => acts.set(command, act)
    });
  };

  beforeEach(() => {
    said.copied.length = said.told.length = inserted.length = 0;
    executed = [];
    isListed = true;
    answers = {
      cell: { source: '%%slurm --gpus 1\nx = 1', left_out: [] },
      job: { notebook: '/home/a/work/train.ipynb', directory: '/runs/j' },
      files: { files: [], folder: 'runs/j' },
      sbatch: { script: '#!/bin/bash\n' }
    };
  });

  it('write the cell again, ready to be edited', async () => {
    const mine = panel('other.ipynb');
    set(tracker(mine));
    await acts.get(CommandIDs.rerun)!('j');
    expect(inserted).toEqual(['%%slurm --gpus 1\nx = 1']);
    expect(mine.content.mode).toBe('edit');
    expect(said.told).toEqual([]);
  });

  it('say what its line cannot have', async () => {
    answers.cell = { source: '%%slurm\nx', left_out: ['--env TOKEN'] };
    set(tracker(panel('a.ipynb')));
    await acts.get(CommandIDs.rerun)!('j');
    expect(said.told[0]).toContain('--env TOKEN');
  });

  it('choose the own notebook of the job where it is open', () => {
    const own = panel('work/train.ipynb');
    const other = panel('rain.ipynb');
    const open = tracker(other, other, own);
    expect(near(open, '/home/a/work/train.ipynb')?.currentWidget).toBe(own);
    expect(near(open, '')?.currentWidget).toBe(other);
    expect(near(null, '/x.ipynb')).toBeNull();
  });

  it('show the folder, or copy its path where the browser does not reach', async () => {
    set(null);
    await acts.get(CommandIDs.folder)!('j');
    expect(executed).toEqual([['filebrowser:go-to-path', { path: 'runs/j' }]]);
    isListed = false;
    await acts.get(CommandIDs.folder)!('j');
    answers.files = { files: [], folder: null };
    await acts.get(CommandIDs.folder)!('j');
    expect(executed.length).toBe(1);
    expect(said.copied).toEqual(['/runs/j', '/runs/j']);
    expect(said.told[1]).toContain('/runs/j');
  });

  it('copy the batch script', async () => {
    set(null);
    await acts.get(CommandIDs.sbatch)!('j');
    expect(said.copied).toEqual(['#!/bin/bash\n']);
  });
});

import { nullTranslator } from '@jupyterlab/translation';
import { Widget } from '@lumino/widgets';
import { CommandRegistry } from '@lumino/commands';
import { Signal } from '@lumino/signaling';
import { act } from 'react';
import { describe, expect, it } from 'vitest';
import { IHPCJobs } from '../src/jobs/tokens';
import { statusItem } from '../src/shell/status';
import { job, page } from './jobs';

const trans = nullTranslator.load('jupyter_hpc');

describe('the status bar', () => {
  it.each([
    [3, 0, '3 running'],
    [0, 2, '2 waiting'],
    [1, 2, '1 running · 2 waiting'],
    [0, 0, '']
  ])(
    'says of %i that run and %i that wait: %s',
    async (running, waiting, says) => {
      (globalThis as any).IS_REACT_ACT_ENVIRONMENT = true;
      const all = page([job('foreign'), job('another', 'PENDING')]);
      const counts = { ...all.counts, ours: { running, waiting } };
      const model = { page: { ...all, counts } } as any;
      model.changed = new Signal(model);
      const item = statusItem(model as IHPCJobs, new CommandRegistry(), trans);
      await act(async () => {
        Widget.attach(item, document.body);
        await item.renderPromise;
      });
      expect(item.node.textContent).toBe(says);
      act(() => item.dispose());
    }
  );
});

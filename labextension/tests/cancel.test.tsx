import { nullTranslator } from '@jupyterlab/translation';
import { describe, expect, it, vi } from 'vitest';
import { cancelJobs } from '../src/parts/cancel';
import { HPCApi } from '../src/server/api';
import { whole } from './jobs';

const trans = nullTranslator.load('jupyter_hpc');

function server(...states: Parameters<typeof whole>[1][]) {
  const jobs = states.map((state, i) => whole(`${i}`, state));
  const cancel = vi.fn(async () => undefined);
  const job = async (id: string) => jobs[Number(id)];
  return {
    api: { job, cancel } as unknown as HPCApi,
    cancel,
    ids: jobs.map(each => each.id)
  };
}

/** Answer the question that is asked, and return it. */
async function answered(label: string): Promise<string> {
  const dialog = await vi.waitFor(() => {
    const found = document.querySelector('.jp-Dialog');
    expect(found?.textContent).toContain(label);
    return found!;
  });
  const text = dialog.textContent;
  [...dialog.querySelectorAll('button')]
    .find(each => each.textContent === label)!
    .click();
  return text;
}

describe('cancelling', () => {
  it('asks nothing where all have ended meanwhile', async () => {
    const one = server('COMPLETED');
    await expect(cancelJobs(one.api, trans, one.ids)).rejects.toThrow(
      'job 0 has ended'
    );
    const two = server('FAILED', 'CANCELLED');
    await expect(cancelJobs(two.api, trans, two.ids)).rejects.toThrow(
      'All of them have ended'
    );
    expect(one.cancel).not.toHaveBeenCalled();
    expect(document.querySelector('.jp-Dialog')).toBeNull();
  });

  it('is of those that live', async () => {
    const { api, cancel, ids } = server('RUNNING', 'COMPLETED', 'PENDING');
    const done = cancelJobs(api, trans, ids);
    const asked = await answered('Cancel the jobs');
    expect(asked).toContain('job 2');
    expect(asked).not.toContain('job 1');
    await done;
    expect(cancel.mock.calls).toEqual([['0'], ['2']]);
  });
});

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { JobsModel } from '../src/jobs/model';
import { HPCApi, HPCError, IQuery } from '../src/server/api';
import { IJob, IPage } from '../src/server/types';
import { job, page, whole } from './jobs';

/** A server with so many jobs, which writes down what it is asked. */
class Server {
  asked: [number, number][] = [];
  jobs: IJob[];
  error: Error | null = null;

  constructor(count: number, state: IJob['state'] = 'COMPLETED') {
    this.jobs = Array.from({ length: count }, (_, i) => job(`j${i}`, state));
  }

  readonly api = {
    jobs: async (query: IQuery, offset: number, limit: number) =>
      this.page(query, offset, limit),
    job: async (id: string) => {
      const found = this.jobs.find(each => each.id === id);
      if (!found) {
        throw new HPCError(404, 'gone', '', 'job-not-found');
      }
      return whole(id, found.state);
    }
  } as unknown as HPCApi;

  private page(query: IQuery, offset: number, limit: number): IPage {
    if (this.error) {
      throw this.error;
    }
    const groups: { [group: string]: IJob['state'][] } = {
      running: ['RUNNING'],
      waiting: ['PENDING']
    };
    if (query.group in groups) {
      const states = groups[query.group];
      return page(this.jobs.filter(each => states.includes(each.state)));
    }
    this.asked.push([offset, limit]);
    const all = page(this.jobs);
    return { ...all, jobs: this.jobs.slice(offset, offset + limit) };
  }
}

let models: JobsModel[] = [];

async function started(server: Server): Promise<JobsModel> {
  const model = new JobsModel(server.api, undefined);
  models.push(model);
  model.watch(true);
  await settled();
  return model;
}

/** Let everything that is due happen. */
async function settled(ms = 50): Promise<void> {
  await vi.advanceTimersByTimeAsync(ms);
}

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  models.forEach(model => model.dispose());
  models = [];
  vi.useRealTimers();
});

describe('the list asks for the rows that are seen', () => {
  it('at first for one page', async () => {
    const server = new Server(1000);
    const model = await started(server);
    expect(model.state).toBe('ready');
    expect(new Set(server.asked.map(String))).toEqual(new Set(['0,100']));
    expect(model.page.total).toBe(1000);
    expect(model.row(99)).toEqual(server.jobs[99]);
    expect(model.row(100)).toBeUndefined();
  });

  it('and by whole pages where it is scrolled to', async () => {
    const server = new Server(1000);
    const model = await started(server);
    server.asked = [];
    model.setWindow(250, 320);
    await settled();
    expect(server.asked).toEqual([[200, 200]]);
    expect(model.row(200)).toEqual(server.jobs[200]);
    expect(model.row(399)).toEqual(server.jobs[399]);
    expect(model.row(0)).toEqual(server.jobs[0]); // what was seen stays
  });

  it('not again for those that are here', async () => {
    const server = new Server(1000);
    const model = await started(server);
    server.asked = [];
    model.setWindow(20, 60);
    model.setWindow(40, 75);
    await settled();
    expect(server.asked).toEqual([]);
  });

  it('and for the next before they are seen, once for all that is scrolled meanwhile', async () => {
    const server = new Server(1000);
    const model = await started(server);
    server.asked = [];
    for (let first = 40; first < 70; first += 6) {
      model.setWindow(first, first + 26);
    }
    await settled();
    expect(server.asked).toEqual([[0, 200]]);
    expect(model.row(120)).toEqual(server.jobs[120]);
  });

  it('not beyond the last', async () => {
    const server = new Server(30);
    const model = await started(server);
    server.asked = [];
    model.setWindow(0, 45);
    await settled();
    expect(server.asked).toEqual([]);
  });

  it('for the last place alone when it is scrolled while an answer is on its way', async () => {
    const server = new Server(5000);
    const model = await started(server);
    server.asked = [];
    model.setWindow(500, 520);
    model.setWindow(1500, 1520);
    model.setWindow(4000, 4020);
    await settled();
    expect(server.asked).toEqual([
      [500, 100],
      [4000, 100]
    ]);
    expect(model.row(4000)).toEqual(server.jobs[4000]);
  });

  it('never for more than 500 at once', async () => {
    const server = new Server(5000);
    const model = await started(server);
    server.asked = [];
    model.setWindow(1000, 2000);
    await settled();
    expect(server.asked).toEqual([[1000, 500]]);
  });
});

describe('what was known', () => {
  it('goes when the rows are others, and the window is asked for again', async () => {
    const server = new Server(1000);
    const model = await started(server);
    model.setWindow(250, 320);
    await settled();
    server.jobs = [job('new', 'COMPLETED'), ...server.jobs];
    await settled(6000);
    expect(model.row(0)).toBeUndefined();
    expect(model.row(250)).toEqual(server.jobs[250]);
    expect(model.page.total).toBe(1001);
  });

  it('goes at once when another question is asked', async () => {
    const server = new Server(1000);
    const model = await started(server);
    model.query = { ...model.query, text: 'train' };
    expect(model.row(0)).toBeUndefined();
    await settled();
    expect(model.row(0)).toEqual(server.jobs[0]);
  });

  it('stays while the server is gone, and that is said', async () => {
    const server = new Server(10);
    const model = await started(server);
    server.error = new Error('no route to host');
    await settled(6000);
    expect(model.problem).toBe('no route to host');
    expect(model.state).toBe('ready');
    expect(model.row(0)).toEqual(server.jobs[0]);
    server.error = null;
    await settled(60000);
    expect(model.problem).toBe('');
  });
});

it('a server without our extension is asked no more', async () => {
  const server = new Server(10);
  server.error = new HPCError(404, 'Not Found', '', '');
  const model = await started(server);
  expect(model.state).toBe('unavailable');
  server.error = null;
  server.asked = [];
  await settled(600000);
  expect(server.asked).toEqual([]);
});

describe('a job of ours that has ended', () => {
  it('is told once', async () => {
    const server = new Server(3, 'RUNNING');
    const model = await started(server);
    expect(model.live.length).toBe(3);
    const told: string[] = [];
    model.ended.connect((_, each) => told.push(each.id));
    server.jobs[1] = { ...server.jobs[1], state: 'FAILED' };
    await settled(6000);
    await settled(6000);
    expect(told).toEqual(['j1']);
    expect(model.live.map(each => each.id)).toEqual(['j0', 'j2']);
  });

  it('is not told where it was forgotten, or was not ours', async () => {
    const server = new Server(3, 'RUNNING');
    server.jobs[0] = { ...server.jobs[0], foreign: true };
    const model = await started(server);
    const told: string[] = [];
    model.ended.connect((_, each) => told.push(each.id));
    server.jobs = [{ ...server.jobs[0], state: 'COMPLETED' }, server.jobs[2]];
    await settled(6000);
    expect(told).toEqual([]);
  });
});

it('nobody is asked while nobody looks and nothing lives', async () => {
  const server = new Server(10);
  const model = await started(server);
  model.watch(false);
  await settled(6000);
  server.asked = [];
  await settled(60000);
  expect(server.asked).toEqual([]);
});

describe('a page that shows no jobs', () => {
  async function resting(server: Server): Promise<JobsModel> {
    const model = await started(server);
    model.watch(false);
    await settled(6000);
    server.jobs = [job('new'), ...server.jobs];
    return model;
  }

  it('hears of a job as soon as somebody asks, as the output of its cell does', async () => {
    const server = new Server(10);
    const model = await resting(server);
    void model.refresh();
    await settled();
    expect(model.page.counts.ours.running).toBe(1);
    server.jobs[0] = { ...server.jobs[0], state: 'COMPLETED' };
    await settled(6000); // and looks on while it lives
    expect(model.page.counts.ours.running).toBe(0);
  });

  it('looks by itself, seldom', async () => {
    const server = new Server(10);
    const model = await resting(server);
    await settled(130_000);
    expect(model.page.counts.ours.running).toBe(1);
  });
});

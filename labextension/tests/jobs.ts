import { IJob, IOwnJob, IPage } from '../src/server/types';

/** A job that runs. */
export function job(id: string, state: IJob['state'] = 'RUNNING'): IJob {
  return {
    id,
    name: `job ${id}`,
    target: 'slurm',
    backend: 'slurm',
    native_id: '7',
    state,
    reason: '',
    error: '',
    node: 'node1',
    partition: '',
    created: 1000,
    started_at: 1001,
    ended_at: null,
    time_limit_s: null,
    gpus: 0,
    gpu_type: '',
    notebook: '',
    tasks: 0,
    task_states: {},
    array: '',
    tags: [],
    acts: [],
    metrics: [],
    foreign: false
  };
}

/** The same, with what its view shows. */
export function whole(id: string, state: IJob['state'] = 'RUNNING'): IOwnJob {
  return {
    ...job(id, state),
    foreign: false,
    waiting: null,
    hint: '',
    evidence: [],
    traceback: '',
    idle: '',
    attempts: [],
    resources: {},
    spec: {},
    code: 'x = 1',
    inputs: [],
    outputs: [],
    unsent: {},
    directory: '',
    samples: [],
    charts: [],
    array_tasks: [],
    is_awaited: false,
    replaces: '',
    replaced_by: '',
    changed_options: '',
    first_line: 1,
    failed_line: null,
    files: []
  };
}

/** A page with so many rows, of so many that there are. */
export function page(jobs: IJob[], total = jobs.length): IPage {
  const count = (...states: IJob['state'][]) =>
    jobs.filter(each => states.includes(each.state)).length;
  const running = count('RUNNING');
  const waiting = count('PENDING', 'SUBMITTING');
  const ours = { running, waiting };
  const ended = total - running - waiting;
  return {
    jobs,
    total,
    counts: { running, waiting, ended, ours },
    targets: ['slurm'],
    notebooks: []
  };
}

/** What a row shows of a job; the server's `summary`. */
export interface IJob {
  id: string;
  name: string;
  target: string;
  backend: string;
  native_id: string;
  state: string;
  reason: string;
  error: string;
  node: string;
  created: number | null;
  started_at: number | null;
  ended_at: number | null;
  time_limit_s: number | null;
  gpus: number;
  gpu_type: string;
  notebook: string;
  tasks: number;
  /** A job that was not submitted by us: only what the scheduler tells. */
  foreign: boolean;
}

/** A heading in a grouped list. */
export interface IHeading {
  heading: string;
  count: number;
}

export type Row = IJob | IHeading;

export interface IPage {
  jobs: Row[];
  total: number;
  counts: { running: number; waiting: number; ended: number };
  targets: string[];
  notebooks: string[];
}

export interface IValue {
  name: string;
  type: string | null;
  nbytes: number | null;
  digest: string | null;
}

export interface ISample {
  t: number;
  rss: number;
  cpu_s: number;
  gpus?: { percent: string; mib_used: string; mib_total: string }[] | null;
}

export interface IJobDetail extends IJob {
  why: string[];
  hint: string;
  evidence: string[];
  attempts: { [key: string]: unknown }[];
  resources: { [key: string]: number | string | boolean };
  spec: { [key: string]: unknown };
  code: string;
  inputs: IValue[];
  outputs: IValue[];
  unsent: { [name: string]: string };
  directory: string;
  samples: ISample[];
  array_tasks: { id: string; task: number; state: string; reason: string }[];
  /** A cell waits for it now. */
  is_awaited: boolean;
  /** Of a foreign job: where its log is, and the command that ends it. */
  log_path?: string;
  ends_with?: string;
}

/** What a run was made from and made, as a picture or as text. */
export interface ILineage {
  svg: string;
  text: string;
}

export interface ILogWindow {
  text: string;
  offset: number;
  next: number;
  size: number;
}

export interface IMatches {
  matches: { offset: number; line_offset: number; line: string }[];
  next: number | null;
}

export interface IGpus {
  type: string;
  free: number;
  total: number;
}

export interface ITarget {
  name: string;
  backend: string;
  available: boolean;
  message: string;
  partitions: { [key: string]: string }[];
  gpus: IGpus[];
}

/** Which jobs are listed. */
export interface IQuery {
  group: string;
  target: string;
  notebook: string;
  text: string;
  by: string;
}

// Made by `jlpm types` from openapi.yaml and schemas.yaml of jupyter_hpc/server: change those.
export interface paths {
  '/jupyter-hpc/jobs': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /** Jobs, those that go on first, then the newest, with those that we did not submit (`foreign`). */
    get: operations['listJobs'];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/jupyter-hpc/jobs/{run_id}': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /** One job, whole, as its view shows it. */
    get: operations['getJob'];
    put?: never;
    post?: never;
    /** Forget a job that has ended. */
    delete: operations['forgetJob'];
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/jupyter-hpc/jobs/{run_id}/cancel': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /** Ask the scheduler to end it; one's own job that we did not submit, too, where the scheduler knows whose it is. */
    post: operations['cancelJob'];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/jupyter-hpc/jobs/{run_id}/hold': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /** Keep one's own job that waits, and that we did not submit, from being started. */
    post: operations['holdJob'];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/jupyter-hpc/jobs/{run_id}/release': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /** Let such a job that is held be started. */
    post: operations['releaseJob'];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/jupyter-hpc/jobs/{run_id}/requeue': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /** End such a job that runs, and let it wait again. */
    post: operations['requeueJob'];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/jupyter-hpc/jobs/{run_id}/detach': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /** Let a cell that waits for it go on without it; the job is not touched. */
    post: operations['detachJob'];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/jupyter-hpc/jobs/{run_id}/resubmit': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /** What can be another when it is submitted again, filled with what would help. */
    get: operations['getResubmissionForm'];
    put?: never;
    /** Submit it again, as a new job. */
    post: operations['resubmitJob'];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/jupyter-hpc/jobs/{run_id}/log': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /** A window of a log. */
    get: operations['readLog'];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/jupyter-hpc/jobs/{run_id}/log/search': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /** Lines of a log that hold a text, 200 at most. */
    get: operations['searchLog'];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/jupyter-hpc/jobs/{run_id}/log/file': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /** A whole log as a download. */
    get: operations['downloadLog'];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/jupyter-hpc/jobs/{run_id}/record': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /** The run's record. */
    get: operations['getRecord'];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/jupyter-hpc/jobs/{run_id}/script': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /** Command and script, or manifest, as submitted. */
    get: operations['getScript'];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/jupyter-hpc/jobs/{run_id}/lineage': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /** What led to the run, as data, as a picture and as text. */
    get: operations['getLineage'];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/jupyter-hpc/jobs/{run_id}/files': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /** What of the run can be downloaded. */
    get: operations['listFiles'];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/jupyter-hpc/jobs/{run_id}/files/{name}': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /** One of those files. */
    get: operations['downloadFile'];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/jupyter-hpc/jobs/{run_id}/cell': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /** The cell as somebody would write it again, with the line of its magic. */
    get: operations['getCell'];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/jupyter-hpc/jobs/{run_id}/sbatch': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /** The run as a batch script of its own. */
    get: operations['getSbatch'];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/jupyter-hpc/jobs/{run_id}/displays': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /** What it displayed: plots, tables, its value. Nothing of it is to be trusted. */
    get: operations['listDisplays'];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/jupyter-hpc/jobs/{run_id}/outputs': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /** What the cell of a job that has ended shows for good: its card, and what it displayed. */
    get: operations['getOutputs'];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/jupyter-hpc/table': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /** The table of jobs, with parameters, numbers that they told and their use of gpus. */
    get: operations['listRuns'];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/jupyter-hpc/jobs/{run_id}/compare/{other_id}': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /** What differs between two runs. */
    get: operations['compareRuns'];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/jupyter-hpc/jobs/{run_id}/tag': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /** Give a run a name. */
    post: operations['tagRun'];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/jupyter-hpc/jobs/{run_id}/tag/{tag}': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    post?: never;
    /** Take a tag away from a run. */
    delete: operations['untagRun'];
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/jupyter-hpc/targets': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /** Every target: whether it is there, and what is free. */
    get: operations['listTargets'];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/jupyter-hpc/targets/{name}': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /** One target. */
    get: operations['getTarget'];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/jupyter-hpc/targets/{name}/nodes': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /** Who holds what of a target's nodes, and how much waits for them. */
    get: operations['getNodes'];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
}
export type webhooks = Record<string, never>;
export interface components {
  schemas: {
    Refusal: {
      message: string;
      reason?: string | null;
      traceback?: string;
    };
    /**
     * @description Slurm's words, on every backend.
     * @enum {unknown}
     */
    State:
      | 'SUBMITTING'
      | 'PENDING'
      | 'RUNNING'
      | 'COMPLETED'
      | 'FAILED'
      | 'CANCELLED'
      | 'TIMEOUT'
      | 'OUT_OF_MEMORY'
      | 'NODE_FAIL'
      | 'PREEMPTED'
      | 'LOST';
    /** @description Seconds since the epoch. */
    Time: number | null;
    /** @description What is not finite is a word. */
    Number: number | ('nan' | 'inf' | '-inf');
    /** @description What the cell printed or logged in numbers under one name. */
    Metric: {
      name: string;
      last: components['schemas']['Number'];
      /** @description A few of its values, for a small line. */
      trend: number[];
      /** @description Of an array: how many of its tasks told it; last and trend are their medians. */
      tasks?: number;
      min?: number | null;
      max?: number | null;
    };
    /** @description What a row shows of a job. */
    Job: {
      id: string;
      name: string;
      target: string;
      backend: string;
      /** @description What the scheduler calls it. */
      native_id: string;
      state: components['schemas']['State'];
      reason: string;
      /** @description The verdict's error, once it has ended badly. */
      error: string;
      node: string;
      /** @description Asked for, or where it waits or runs; empty if that is not known. */
      partition: string;
      created: components['schemas']['Time'];
      started_at: components['schemas']['Time'];
      ended_at: components['schemas']['Time'];
      time_limit_s: number | null;
      gpus: number;
      gpu_type: string;
      notebook: string;
      /** @description How many an array has; else 0. */
      tasks: number;
      /** @description How many tasks are in which state, of an array that we did not submit. */
      task_states: {
        [key: string]: number;
      };
      /** @description The id of the row that it is unfolded from; else empty. */
      array: string;
      /** @description What its user may do as it stands, of a job that we did not submit. */
      acts: ('cancel' | 'hold' | 'release' | 'requeue')[];
      /** @description Names that people gave to it or to what it made. */
      tags: string[];
      /** @description Numbers that it told of itself, the first few. */
      metrics: components['schemas']['Metric'][];
      /** @description Not submitted by us: only what the scheduler tells. */
      foreign: boolean;
    };
    /** @description A heading in a grouped list. */
    Heading: {
      heading: string;
      count: number;
    };
    Row: components['schemas']['Job'] | components['schemas']['Heading'];
    Page: {
      jobs: components['schemas']['Row'][];
      /** @description Rows that the query means, headings too. */
      total: number;
      /** @description Of all jobs, whatever the query. */
      counts: {
        waiting: number;
        running: number;
        ended: number;
        /** @description Those of them that were submitted by us. */
        ours: {
          waiting: number;
          running: number;
        };
      };
      targets: string[];
      notebooks: string[];
    };
    Problem: {
      /** @description What happened. */
      message: string;
      /** @description What to do; may be empty. */
      hint: string;
      /** @description What `%hpc help` takes to say more. */
      code: string;
    };
    /** @description A change to a request that waits, which would help. */
    Suggestion: {
      /** @description As the cell's line has them: `--gpus 1`. */
      options: string;
      /** @description What speaks for it. */
      why: string;
      /** @description The scheduler itself says that it would start now. */
      confirmed: boolean;
      expected_start: components['schemas']['Time'];
    };
    /** @description What the scheduler said last of why it waits. */
    Waiting: {
      asked_at: components['schemas']['Time'];
      /** @description In words; empty if it gives none. */
      reason: string;
      /** @description Its place among those that wait for the same nodes. */
      place: number | null;
      /** @description How many are before it. */
      ahead: number | null;
      /** @description How many wait. */
      of: number | null;
      expected_start: components['schemas']['Time'];
      suggestions: components['schemas']['Suggestion'][];
      /** @description What to type, where something must be done. */
      hint: string;
    };
    /** @description A scheduler may take a running job back and start it again. */
    Attempt: {
      attempt: number;
      started: number;
      node: string;
      ended?: components['schemas']['Time'];
      how?: string;
      reason?: string;
    };
    /** @description A value that it was sent. */
    Input: {
      name: string;
      type: string | null;
      nbytes: number | null;
      digest: string | null;
      /** @description The run that made it, if one did. */
      origin: string | null;
    };
    /** @description A name that travelled. */
    Value: {
      name: string;
      type: string | null;
      nbytes: number | null;
      digest: string | null;
    };
    /** @description In the words of nvidia-smi. */
    GpuUse: {
      name?: string;
      driver?: string;
      percent?: string;
      mib_used?: string;
      mib_total?: string;
    };
    /** @description What the worker measured of itself and its children. */
    Sample: {
      t: number;
      /** @description Resident bytes. */
      rss: number;
      /** @description Seconds of all CPUs since it began. */
      cpu_s: number;
      gpus?: components['schemas']['GpuUse'][] | null;
    };
    /** @description A run's numbers in a chart, or a task's. */
    ChartLine: {
      /** @description Whose; empty of a single run. */
      label: string;
      /** @description Place and value; null where it was no number. */
      points: (number | null)[][];
      last: components['schemas']['Number'];
      min: number | null;
      max: number | null;
      /** @description How many values there were; some have no point. */
      count: number;
    };
    /** @description What was told under one name. */
    Chart: {
      name: string;
      /** @description What the places count, as step or epoch; empty: values one after the other; time: seconds. */
      by: string;
      lines: components['schemas']['ChartLine'][];
      /** @description Of an array: how many of its tasks told it; of a large one some are drawn. Least and largest are of all. */
      tasks?: number;
      min?: number | null;
      max?: number | null;
    };
    /** @description A task of an array. */
    Task: {
      id: string;
      task: number;
      state: components['schemas']['State'];
      reason: string;
    };
    /** @description What the view of any job shows beside its row; empty where it is not known. */
    View: {
      /** @description Of a job that waits, once the scheduler was asked why. */
      waiting: components['schemas']['Waiting'] | null;
      hint: string;
      evidence: string[];
      attempts: components['schemas']['Attempt'][];
      resources: {
        [key: string]: number | string | boolean;
      };
      spec: {
        [key: string]: unknown;
      };
      code: string;
      inputs: components['schemas']['Input'][];
      outputs: components['schemas']['Value'][];
      /** @description Names that did not come back, and why. */
      unsent: {
        [key: string]: string;
      };
      directory: string;
      samples: components['schemas']['Sample'][];
      charts: components['schemas']['Chart'][];
      array_tasks: components['schemas']['Task'][];
    };
    /** @description A file or folder that the cell declared. */
    RunFile: {
      path: string;
      /** @description used or generated. */
      role: string | null;
      nbytes: number | null;
      /** @description Why it has no digest. */
      why: string | null;
    };
    OwnJob: components['schemas']['Job'] &
      components['schemas']['View'] & {
        /** @constant */
        foreign: false;
        /** @description What its traceback calls the first line of `code`. */
        first_line: number;
        /** @description The line that raised, as its traceback calls it. */
        failed_line: number | null;
        files: components['schemas']['RunFile'][];
        traceback: string;
        /** @description While it runs, a sentence on gpus that have done nothing for minutes. */
        idle: string;
        /** @description A cell waits for it now. */
        is_awaited: boolean;
        /** @description The run in whose place it was submitted while that waited; or empty. */
        replaces: string;
        /** @description The run that was submitted in its place; or empty. */
        replaced_by: string;
        /** @description What was asked for instead when it was submitted again: `--gpus 1`. */
        changed_options: string;
      };
    ForeignJob: components['schemas']['Job'] &
      components['schemas']['View'] & {
        /** @constant */
        foreign: true;
        /** @description Where its log is; empty if that is not known. */
        log_path: string;
        /** @description The command that ends it. */
        ends_with: string;
      };
    JobDetail:
      components['schemas']['OwnJob'] | components['schemas']['ForeignJob'];
    JobId: {
      id: string;
    };
    /** @description An option that can be another. */
    FormField: {
      name: string;
      flag: string;
      label: string;
      /** @description How a value is written. */
      hint: string;
      /** @description As the job's verdict suggests, else as it was; empty is left to the target. */
      value: string;
      was: string;
      /** @description It goes into `resources`, else into `spec`. */
      is_resource: boolean;
      /** @description Values that are known there. */
      choices: string[];
    };
    ResubmissionForm: {
      target: string;
      targets: string[];
      fields: components['schemas']['FormField'][];
      /** @description Flags of what `options` may have besides. */
      others: string[];
    };
    /** @description What is asked for instead. Empty is left to the target. */
    Resubmission: {
      /** @description What to ask for instead, as people write it: `memory` `8G`. */
      resources?: {
        [key: string]: string | number | boolean;
      };
      /** @description Options of the scheduler by their fields: `partition` `gpu`. */
      spec?: {
        [key: string]: string | number | boolean;
      };
      /** @description The same as a line has them: `--gpus 1 -p gpu`. */
      options?: string;
      target?: string | null;
      /** @description In place of a job that waits */
      instead?: boolean;
    };
    LogWindow: {
      /** @description Whole characters; what is no UTF-8 is replaced. */
      text: string;
      /** @description The byte that it begins at. */
      offset: number;
      /** @description The byte to go on at. */
      next: number;
      /** @description Bytes of the log. */
      size: number;
      /** @description Of an array, the tasks whose logs it holds one after the other, 1000 at most; each has its own log. */
      tasks: {
        id: string;
        task: number;
      }[];
    };
    Match: {
      offset: number;
      line_offset: number;
      line: string;
    };
    Matches: {
      matches: components['schemas']['Match'][];
      /** @description Where the next one is, if there are more. */
      next: number | null;
    };
    /** @description The file record.json of the run directory. */
    Record: {
      format: number;
      id: string;
      kind: string;
      created: number;
      state: components['schemas']['State'];
      target: {
        name: string;
        backend: string;
      };
      spec: {
        [key: string]: unknown;
      };
      code: {
        [key: string]: unknown;
      };
    } & {
      [key: string]: unknown;
    };
    Script: {
      command: string[];
      script: string;
    };
    /** @description What was asked for. */
    Start: {
      kind: string;
      title: string;
      run_id: string;
      name: string;
      digest: string | null;
      note: string;
    };
    /** @description A value or a file that an activity used or made. */
    Edge: {
      kind: string;
      name: string;
      digest: string | null;
      nbytes: number | null;
      type: string | null;
    };
    /** @description A run, a local cell or several folded into one, or what is gone. */
    Activity: {
      id: string;
      /** @enum {unknown} */
      kind: 'run' | 'cell' | 'gone';
      label: string;
      name: string;
      state: string | null;
      created: components['schemas']['Time'];
      notebook: string | null;
      cell_id: string | null;
      execution_count: number | null;
      folded: string[];
      used: components['schemas']['Edge'][];
      made: components['schemas']['Edge'][];
      /** @description All that is recorded of a run: code, git, parameters, environment, execution, outcome. */
      details: {
        [key: string]: unknown;
      } | null;
    };
    /** @description The child used names that came from the parent. */
    Link: {
      child: string;
      parent: string;
      names: string[];
      /** @description How that is known. */
      via: string;
    };
    /** @description An activity in the picture of a lineage, or what was asked for. */
    Box: {
      /** @description The run that it is, if its record is here. */
      run: string | null;
      /** @description run, failed, cell or gone; value or file for what was asked for. */
      kind: string;
      x: number;
      y: number;
      width: number;
      height: number;
      lines: string[];
      /** @description All of it. */
      title: string;
    };
    Arrow: {
      /** @description The line, as SVG's paths are written. */
      way: string;
      /** @description Its end. */
      head: string;
      /** @description Where its names stand. */
      x: number;
      y: number;
      names: string;
      /** @description It is known by a name alone. */
      may: boolean;
    };
    /** @description A lineage with a place for everything: data flows downwards. */
    Picture: {
      title: string;
      width: number;
      height: number;
      boxes: components['schemas']['Box'][];
      links: components['schemas']['Arrow'][];
    };
    Lineage: {
      start: components['schemas']['Start'];
      tags: string[];
      /** @description Why it is no longer what its code would make, a line each. */
      stale: string[];
      /** @description More led to it than is here. */
      is_cut: boolean;
      nodes: components['schemas']['Activity'][];
      /** @description The code of each local cell. */
      cells: {
        [key: string]: string;
      };
      links: components['schemas']['Link'][];
      picture: components['schemas']['Picture'];
      svg: string;
      text: string;
    };
    /** @description A file that can be downloaded by its name. */
    File: {
      name: string;
      title: string;
      /** @enum {unknown} */
      role: 'log' | 'script' | 'record' | 'code' | 'made';
      nbytes: number;
    };
    Files: {
      files: components['schemas']['File'][];
      /** @description The run's directory as the server's file browser calls it, if it reaches that. */
      folder: string | null;
    };
    Cell: {
      source: string;
      /** @description Options that its line can't have. */
      left_out: string[];
    };
    Sbatch: {
      script: string;
    };
    /** @description What the cell displayed, in nbformat's terms. */
    Display: {
      data: {
        [key: string]: unknown;
      };
      metadata: {
        [key: string]: unknown;
      };
      /** @description Of an array, the task that displayed it. */
      task: number | null;
    };
    Displays: {
      displays: components['schemas']['Display'][];
      /** @description How many there were before these. */
      left_out: number;
    };
    /** @description What the cell displayed, or its value, in nbformat's terms. */
    Shown: {
      data: {
        [key: string]: unknown;
      };
      metadata: {
        [key: string]: unknown;
      };
      is_value: boolean;
    };
    Outputs: {
      /** @description The job has ended; until then all else is empty. */
      is_final: boolean;
      /** @description How it went, by MIME type. */
      card: {
        [key: string]: unknown;
      };
      shown: components['schemas']['Shown'][];
      /** @description All that it displayed at any time, by MIME type: a notebook that was saved meanwhile has some of it. */
      earlier: {
        [key: string]: unknown;
      }[];
    };
    /** @description The most that one gpu was used. */
    GpuMost: {
      percent: number;
      mib: number;
      mib_total: number;
    };
    TableRow: components['schemas']['Job'] & {
      /** @description As Python writes them. */
      parameters: {
        [key: string]: string;
      };
      /** @description The last of each metric, by its name. */
      numbers: {
        [key: string]: number | string | null;
      };
      gpu_use: components['schemas']['GpuMost'][];
    };
    TablePage: {
      rows: components['schemas']['TableRow'][];
      total: number;
      /** @description Names to choose columns from, the most frequent first. */
      parameters: string[];
      metrics: string[];
    };
    Different: {
      name: string;
      first: string;
      second: string;
    };
    DifferentPart: {
      /** @enum {unknown} */
      part:
        | 'git'
        | 'parameters'
        | 'packages'
        | 'inputs'
        | 'outputs'
        | 'resources'
        | 'metrics'
        | 'outcome';
      rows: components['schemas']['Different'][];
    };
    Difference: {
      first: string;
      second: string;
      /** @description Lines of a unified diff. */
      code: string[];
      /** @description Those in which they differ. */
      parts: components['schemas']['DifferentPart'][];
    };
    Tag: {
      /** @description A whole one as model:v3, or a word that many runs may have: then the run's id follows. */
      tag: string;
    };
    Gpus: {
      /** @description Empty for any type. */
      type: string;
      free: number;
      total: number;
    };
    Target: {
      name: string;
      backend: string;
      /** @description Where it was configured. */
      source: string;
      /** @description The line that sends a cell there, in any notebook: its options follow. */
      magic: string;
      available: boolean;
      message: string;
      /** @description A partition or a node each; the first column names it. */
      partitions: {
        [key: string]: string;
      }[];
      gpus: components['schemas']['Gpus'][];
    };
    Targets: {
      targets: components['schemas']['Target'][];
    };
    Amount: {
      total: number;
      /** @description Null where that may not be seen. */
      free: number | null;
      /** @description Null where nobody can tell whose it is. */
      mine: number | null;
    };
    /** @description A node, or several that stand alike; then the amounts are of all of them. */
    Nodes: {
      /** @description Of several: c[001-480]. */
      name: string;
      count: number;
      /** @description The default one first. */
      partitions: string[];
      /** @enum {unknown} */
      state: 'up' | 'drained' | 'down';
      /** @description The scheduler's own word. */
      native_state: string;
      /** @description Why somebody took the node away. */
      reason: string;
      gpu_type: string;
      cpus: components['schemas']['Amount'];
      /** @description In MiB. */
      memory: components['schemas']['Amount'];
      gpus: components['schemas']['Amount'];
    };
    Queued: {
      /** @description Empty where there are none. */
      partition: string;
      jobs: number;
      mine: number;
    };
    Capacity: {
      nodes: components['schemas']['Nodes'][];
      queued: components['schemas']['Queued'][];
      /** @description One's share and priorities, a sentence each. */
      standing: string[];
      /** @description What may not be seen here. */
      note: string;
    };
  };
  responses: {
    /** @description It could not be done, and why. */
    Problem: {
      headers: {
        [name: string]: unknown;
      };
      content: {
        'application/json': components['schemas']['Problem'];
      };
    };
    /** @description Jupyter itself refused, as a request without the token. */
    Refusal: {
      headers: {
        [name: string]: unknown;
      };
      content: {
        'application/json': components['schemas']['Refusal'];
      };
    };
  };
  parameters: {
    /** @description A run's id, or a task's. */
    RunId: string;
    /** @description A run's id, or target and native id of a job that we did not submit. */
    JobId: string;
    /** @description What the cell printed, or what the scheduler said. */
    Which: 'cell' | 'scheduler';
  };
  requestBodies: never;
  headers: never;
  pathItems: never;
}
export type IRefusal = components['schemas']['Refusal'];
export type IState = components['schemas']['State'];
export type ITime = components['schemas']['Time'];
export type INumber = components['schemas']['Number'];
export type IMetric = components['schemas']['Metric'];
export type IJob = components['schemas']['Job'];
export type IHeading = components['schemas']['Heading'];
export type IRow = components['schemas']['Row'];
export type IPage = components['schemas']['Page'];
export type IProblem = components['schemas']['Problem'];
export type ISuggestion = components['schemas']['Suggestion'];
export type IWaiting = components['schemas']['Waiting'];
export type IAttempt = components['schemas']['Attempt'];
export type IInput = components['schemas']['Input'];
export type IValue = components['schemas']['Value'];
export type IGpuUse = components['schemas']['GpuUse'];
export type ISample = components['schemas']['Sample'];
export type IChartLine = components['schemas']['ChartLine'];
export type IChart = components['schemas']['Chart'];
export type ITask = components['schemas']['Task'];
export type IView = components['schemas']['View'];
export type IRunFile = components['schemas']['RunFile'];
export type IOwnJob = components['schemas']['OwnJob'];
export type IForeignJob = components['schemas']['ForeignJob'];
export type IJobDetail = components['schemas']['JobDetail'];
export type IJobId = components['schemas']['JobId'];
export type IFormField = components['schemas']['FormField'];
export type IResubmissionForm = components['schemas']['ResubmissionForm'];
export type IResubmission = components['schemas']['Resubmission'];
export type ILogWindow = components['schemas']['LogWindow'];
export type IMatch = components['schemas']['Match'];
export type IMatches = components['schemas']['Matches'];
export type IRecord = components['schemas']['Record'];
export type IScript = components['schemas']['Script'];
export type IStart = components['schemas']['Start'];
export type IEdge = components['schemas']['Edge'];
export type IActivity = components['schemas']['Activity'];
export type ILink = components['schemas']['Link'];
export type IBox = components['schemas']['Box'];
export type IArrow = components['schemas']['Arrow'];
export type IPicture = components['schemas']['Picture'];
export type ILineage = components['schemas']['Lineage'];
export type IFile = components['schemas']['File'];
export type IFiles = components['schemas']['Files'];
export type ICell = components['schemas']['Cell'];
export type ISbatch = components['schemas']['Sbatch'];
export type IDisplay = components['schemas']['Display'];
export type IDisplays = components['schemas']['Displays'];
export type IShown = components['schemas']['Shown'];
export type IOutputs = components['schemas']['Outputs'];
export type IGpuMost = components['schemas']['GpuMost'];
export type ITableRow = components['schemas']['TableRow'];
export type ITablePage = components['schemas']['TablePage'];
export type IDifferent = components['schemas']['Different'];
export type IDifferentPart = components['schemas']['DifferentPart'];
export type IDifference = components['schemas']['Difference'];
export type ITag = components['schemas']['Tag'];
export type IGpus = components['schemas']['Gpus'];
export type ITarget = components['schemas']['Target'];
export type ITargets = components['schemas']['Targets'];
export type IAmount = components['schemas']['Amount'];
export type INodes = components['schemas']['Nodes'];
export type IQueued = components['schemas']['Queued'];
export type ICapacity = components['schemas']['Capacity'];
export type $defs = Record<string, never>;
export interface operations {
  listJobs: {
    parameters: {
      query?: {
        group?: '' | 'waiting' | 'running' | 'ended';
        state?: string;
        target?: string;
        notebook?: string;
        /** @description Words, each of which must be found: in an id, the scheduler's id, a name, target, node, partition, tag, reason, error or notebook, or as a word for the state. */
        text?: string;
        /** @description Rows come in groups, each under a heading. */
        by?: '' | 'target' | 'state' | 'notebook';
        /** @description The order: of time is what goes on first, then what ended last; of duration the longest first. */
        sort?: '' | 'time' | 'name' | 'state' | 'duration';
        /** @description Ids of arrays that we did not submit, with spaces between: their tasks come under them. */
        unfolded?: string;
        offset?: number;
        limit?: number;
      };
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description One page. */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Page'];
        };
      };
      400: components['responses']['Problem'];
      default: components['responses']['Refusal'];
    };
  };
  getJob: {
    parameters: {
      query?: never;
      header?: never;
      path: {
        /** @description A run's id, or target and native id of a job that we did not submit. */
        run_id: components['parameters']['JobId'];
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description The job. */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['JobDetail'];
        };
      };
      404: components['responses']['Problem'];
      409: components['responses']['Problem'];
      default: components['responses']['Refusal'];
    };
  };
  forgetJob: {
    parameters: {
      query?: never;
      header?: never;
      path: {
        /** @description A run's id, or target and native id of a job that we did not submit. */
        run_id: components['parameters']['JobId'];
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description Its run directory is gone. */
      204: {
        headers: {
          [name: string]: unknown;
        };
        content?: never;
      };
      404: components['responses']['Problem'];
      409: components['responses']['Problem'];
      default: components['responses']['Refusal'];
    };
  };
  cancelJob: {
    parameters: {
      query?: never;
      header?: never;
      path: {
        /** @description A run's id, or target and native id of a job that we did not submit. */
        run_id: components['parameters']['JobId'];
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description It was asked. */
      202: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['JobId'];
        };
      };
      404: components['responses']['Problem'];
      409: components['responses']['Problem'];
      503: components['responses']['Problem'];
      default: components['responses']['Refusal'];
    };
  };
  holdJob: {
    parameters: {
      query?: never;
      header?: never;
      path: {
        /** @description A run's id, or target and native id of a job that we did not submit. */
        run_id: components['parameters']['JobId'];
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description It was asked. */
      202: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['JobId'];
        };
      };
      404: components['responses']['Problem'];
      409: components['responses']['Problem'];
      503: components['responses']['Problem'];
      default: components['responses']['Refusal'];
    };
  };
  releaseJob: {
    parameters: {
      query?: never;
      header?: never;
      path: {
        /** @description A run's id, or target and native id of a job that we did not submit. */
        run_id: components['parameters']['JobId'];
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description It was asked. */
      202: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['JobId'];
        };
      };
      404: components['responses']['Problem'];
      409: components['responses']['Problem'];
      503: components['responses']['Problem'];
      default: components['responses']['Refusal'];
    };
  };
  requeueJob: {
    parameters: {
      query?: never;
      header?: never;
      path: {
        /** @description A run's id, or target and native id of a job that we did not submit. */
        run_id: components['parameters']['JobId'];
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description It was asked. */
      202: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['JobId'];
        };
      };
      404: components['responses']['Problem'];
      409: components['responses']['Problem'];
      503: components['responses']['Problem'];
      default: components['responses']['Refusal'];
    };
  };
  detachJob: {
    parameters: {
      query?: never;
      header?: never;
      path: {
        /** @description A run's id, or a task's. */
        run_id: components['parameters']['RunId'];
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description No cell waits. */
      202: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['JobId'];
        };
      };
      404: components['responses']['Problem'];
      default: components['responses']['Refusal'];
    };
  };
  getResubmissionForm: {
    parameters: {
      query?: {
        /** @description Where; its own target if left out. */
        target?: string;
      };
      header?: never;
      path: {
        /** @description A run's id, or a task's. */
        run_id: components['parameters']['RunId'];
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description The form. */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ResubmissionForm'];
        };
      };
      400: components['responses']['Problem'];
      404: components['responses']['Problem'];
      503: components['responses']['Problem'];
      default: components['responses']['Refusal'];
    };
  };
  resubmitJob: {
    parameters: {
      query?: never;
      header?: never;
      path: {
        /** @description A run's id, or a task's. */
        run_id: components['parameters']['RunId'];
      };
      cookie?: never;
    };
    requestBody?: {
      content: {
        'application/json': components['schemas']['Resubmission'];
      };
    };
    responses: {
      /** @description The new job. */
      201: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['JobId'];
        };
      };
      400: components['responses']['Problem'];
      404: components['responses']['Problem'];
      409: components['responses']['Problem'];
      503: components['responses']['Problem'];
      default: components['responses']['Refusal'];
    };
  };
  readLog: {
    parameters: {
      query?: {
        /** @description What the cell printed, or what the scheduler said. */
        which?: components['parameters']['Which'];
        /** @description A byte; a negative one counts from the end. */
        offset?: number;
        /** @description Bytes at most. */
        limit?: number;
      };
      header?: never;
      path: {
        /** @description A run's id, or target and native id of a job that we did not submit. */
        run_id: components['parameters']['JobId'];
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description Its text. */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['LogWindow'];
        };
      };
      400: components['responses']['Problem'];
      404: components['responses']['Problem'];
      409: components['responses']['Problem'];
      default: components['responses']['Refusal'];
    };
  };
  searchLog: {
    parameters: {
      query: {
        /** @description What the cell printed, or what the scheduler said. */
        which?: components['parameters']['Which'];
        text: string;
        /** @description The byte to begin at. */
        offset?: number;
      };
      header?: never;
      path: {
        /** @description A run's id, or target and native id of a job that we did not submit. */
        run_id: components['parameters']['JobId'];
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description Those lines. */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Matches'];
        };
      };
      400: components['responses']['Problem'];
      404: components['responses']['Problem'];
      409: components['responses']['Problem'];
      default: components['responses']['Refusal'];
    };
  };
  downloadLog: {
    parameters: {
      query?: {
        /** @description What the cell printed, or what the scheduler said. */
        which?: components['parameters']['Which'];
      };
      header?: never;
      path: {
        /** @description A run's id, or target and native id of a job that we did not submit. */
        run_id: components['parameters']['JobId'];
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description The file. */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'text/plain': string;
        };
      };
      400: components['responses']['Problem'];
      404: components['responses']['Problem'];
      409: components['responses']['Problem'];
      default: components['responses']['Refusal'];
    };
  };
  getRecord: {
    parameters: {
      query?: never;
      header?: never;
      path: {
        /** @description A run's id, or a task's. */
        run_id: components['parameters']['RunId'];
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description The record. */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Record'];
        };
      };
      404: components['responses']['Problem'];
      default: components['responses']['Refusal'];
    };
  };
  getScript: {
    parameters: {
      query?: never;
      header?: never;
      path: {
        /** @description A run's id, or a task's. */
        run_id: components['parameters']['RunId'];
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description Both. */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Script'];
        };
      };
      404: components['responses']['Problem'];
      default: components['responses']['Refusal'];
    };
  };
  getLineage: {
    parameters: {
      query?: never;
      header?: never;
      path: {
        /** @description A run's id, or a task's. */
        run_id: components['parameters']['RunId'];
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description All of it. */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Lineage'];
        };
      };
      404: components['responses']['Problem'];
      default: components['responses']['Refusal'];
    };
  };
  listFiles: {
    parameters: {
      query?: never;
      header?: never;
      path: {
        /** @description A run's id, or a task's. */
        run_id: components['parameters']['RunId'];
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description The files. */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Files'];
        };
      };
      404: components['responses']['Problem'];
      default: components['responses']['Refusal'];
    };
  };
  downloadFile: {
    parameters: {
      query?: never;
      header?: never;
      path: {
        /** @description A run's id, or a task's. */
        run_id: components['parameters']['RunId'];
        name: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description The file. */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/octet-stream': string;
        };
      };
      404: components['responses']['Problem'];
      409: components['responses']['Problem'];
      default: components['responses']['Refusal'];
    };
  };
  getCell: {
    parameters: {
      query?: never;
      header?: never;
      path: {
        /** @description A run's id, or a task's. */
        run_id: components['parameters']['RunId'];
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description The cell. */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Cell'];
        };
      };
      400: components['responses']['Problem'];
      404: components['responses']['Problem'];
      409: components['responses']['Problem'];
      503: components['responses']['Problem'];
      default: components['responses']['Refusal'];
    };
  };
  getSbatch: {
    parameters: {
      query?: never;
      header?: never;
      path: {
        /** @description A run's id, or a task's. */
        run_id: components['parameters']['RunId'];
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description The script. */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Sbatch'];
        };
      };
      400: components['responses']['Problem'];
      404: components['responses']['Problem'];
      default: components['responses']['Refusal'];
    };
  };
  listDisplays: {
    parameters: {
      query?: never;
      header?: never;
      path: {
        /** @description A run's id, or a task's. */
        run_id: components['parameters']['RunId'];
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description The last of them. */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Displays'];
        };
      };
      404: components['responses']['Problem'];
      default: components['responses']['Refusal'];
    };
  };
  getOutputs: {
    parameters: {
      query?: never;
      header?: never;
      path: {
        /** @description A run's id, or a task's. */
        run_id: components['parameters']['RunId'];
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description All of it. */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Outputs'];
        };
      };
      404: components['responses']['Problem'];
      default: components['responses']['Refusal'];
    };
  };
  listRuns: {
    parameters: {
      query?: {
        group?: '' | 'waiting' | 'running' | 'ended';
        target?: string;
        /** @description As of the list. */
        text?: string;
        /** @description A condition as `%hpc runs --where` has it: `failed since yesterday`. */
        where?: string;
        /** @description A column; with - before it from the largest down. Empty: what goes on first, then what ended last. */
        sort?: string;
        offset?: number;
        limit?: number;
      };
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description One page. */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['TablePage'];
        };
      };
      400: components['responses']['Problem'];
      default: components['responses']['Refusal'];
    };
  };
  compareRuns: {
    parameters: {
      query?: never;
      header?: never;
      path: {
        /** @description A run's id, or a task's. */
        run_id: components['parameters']['RunId'];
        /** @description The second run's id. */
        other_id: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description All that differs. */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Difference'];
        };
      };
      404: components['responses']['Problem'];
      default: components['responses']['Refusal'];
    };
  };
  tagRun: {
    parameters: {
      query?: never;
      header?: never;
      path: {
        /** @description A run's id, or a task's. */
        run_id: components['parameters']['RunId'];
      };
      cookie?: never;
    };
    requestBody?: {
      content: {
        'application/json': components['schemas']['Tag'];
      };
    };
    responses: {
      /** @description The tag that it has now. */
      201: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Tag'];
        };
      };
      400: components['responses']['Problem'];
      404: components['responses']['Problem'];
      409: components['responses']['Problem'];
      default: components['responses']['Refusal'];
    };
  };
  untagRun: {
    parameters: {
      query?: never;
      header?: never;
      path: {
        /** @description A run's id, or a task's. */
        run_id: components['parameters']['RunId'];
        /** @description A whole one, as model:v3. */
        tag: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description It is gone. */
      204: {
        headers: {
          [name: string]: unknown;
        };
        content?: never;
      };
      400: components['responses']['Problem'];
      404: components['responses']['Problem'];
      default: components['responses']['Refusal'];
    };
  };
  listTargets: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description The targets. */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Targets'];
        };
      };
      default: components['responses']['Refusal'];
    };
  };
  getTarget: {
    parameters: {
      query?: never;
      header?: never;
      path: {
        name: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description The target. */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Target'];
        };
      };
      404: components['responses']['Problem'];
      default: components['responses']['Refusal'];
    };
  };
  getNodes: {
    parameters: {
      query?: never;
      header?: never;
      path: {
        name: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description The nodes. */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Capacity'];
        };
      };
      404: components['responses']['Problem'];
      503: components['responses']['Problem'];
      default: components['responses']['Refusal'];
    };
  };
}

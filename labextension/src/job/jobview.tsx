import {
  MainAreaWidget,
  ReactWidget,
  WidgetTracker
} from '@jupyterlab/apputils';
import { IRenderMime } from '@jupyterlab/rendermime-interfaces';
import { TranslationBundle } from '@jupyterlab/translation';
import { CommandRegistry } from '@lumino/commands';
import { Widget } from '@lumino/widgets';
import * as React from 'react';
import { HPCApi } from '../server/api';
import { useAsked } from '../parts/asked';
import { CommandIDs } from '../jobs/commandids';
import {
  duration,
  elapsed,
  isLive,
  look,
  place,
  sign,
  size,
  words
} from '../jobs/format';
import { hpcIcon } from '../jobs/icons';
import { LogView } from './logview';
import { Resources } from './resources';
import { Foreign } from '../parts/foreign';
import { pageId, tabId, Tabs } from '../parts/tabs';
import { IHPCJobs } from '../jobs/tokens';
import { IJobDetail, ILineage } from '../server/types';

export interface IJobProps {
  id: string;
  api: HPCApi;
  model: IHPCJobs;
  commands: CommandRegistry;
  sanitizer: IRenderMime.ISanitizer;
  trans: TranslationBundle;
}

const LIVE_MS = 3000;

type Tab =
  | 'log'
  | 'scheduler'
  | 'details'
  | 'resources'
  | 'lineage'
  | 'script'
  | 'record';
export type JobTracker = WidgetTracker<MainAreaWidget<ReactWidget>>;
const ID = 'jupyter-hpc-';

/** The id of the job that a view shows. */
export function idOfView(widget: Widget): string {
  return widget.id.slice(ID.length);
}

/** A job in the main area. */
export function createJobWidget(props: IJobProps): MainAreaWidget<ReactWidget> {
  const named = (name: string) => {
    widget.title.label = name;
  };
  const content = ReactWidget.create(<JobView {...props} named={named} />);
  content.addClass('jp-HPCJob');
  const widget = new MainAreaWidget({ content });
  widget.id = `${ID}${props.id}`;
  widget.title.label = props.id.slice(-6);
  widget.title.caption = props.id;
  widget.title.icon = hpcIcon;
  widget.title.closable = true;
  return widget;
}

/** Ask for a job now, at each change, and while it lives every few seconds. */
export function useJob(
  api: HPCApi,
  model: IHPCJobs,
  id: string
): [IJobDetail | null, string] {
  const [live, setLive] = React.useState(true);
  const [job, problem, ask] = useAsked(() => api.job(id), live ? LIVE_MS : 0, [
    api,
    id
  ]);
  const isStill = job === null || isLive(job);
  React.useEffect(() => setLive(isStill), [isStill]);
  React.useEffect(() => {
    const onChange = () => ask();
    if (live) {
      model.changed.connect(onChange);
    }
    return () => {
      model.changed.disconnect(onChange);
    };
  }, [model, live]);
  return [job, problem];
}

function JobView(
  props: IJobProps & { named: (name: string) => void }
): React.ReactElement {
  const { api, model, id, trans } = props;
  const [job, problem] = useJob(api, model, id);
  const [tab, setTab] = React.useState<Tab>('log');
  const lineage = useLineage(api, job);
  const name = job?.name;
  React.useEffect(() => {
    if (name) {
      props.named(name.length > 24 ? `${name.slice(0, 23)}…` : name);
    }
  }, [name]);
  if (!job) {
    return (
      <div className="jp-HPC-empty" role="status">
        <p>{problem || trans.__('Asking for the job …')}</p>
      </div>
    );
  }
  const own: [Tab, string][] = [
    ['resources', trans.__('Resources')],
    ...(lineage ? [['lineage', trans.__('Lineage')] as [Tab, string]] : []),
    ['script', trans.__('Script')],
    ['scheduler', trans.__('Scheduler')],
    ['record', trans.__('Record')]
  ];
  const tabs: [Tab, string][] = [
    ['log', trans.__('Log')],
    ['details', trans.__('Details')],
    ...(job.foreign ? [] : own)
  ];
  return (
    <>
      <Head {...props} job={job} problem={problem} />
      <Tabs
        label={trans.__('Job')}
        prefix={`jp-hpc-${id}`}
        tabs={tabs}
        current={tab}
        onChange={setTab}
      />
      <div
        className="jp-HPCJob-page"
        role="tabpanel"
        id={pageId(`jp-hpc-${id}`)}
        aria-labelledby={tabId(`jp-hpc-${id}`, tab)}
      >
        {(tab === 'log' || tab === 'scheduler') && (
          <LogView
            {...props}
            key={tab}
            isLive={isLive(job)}
            which={tab === 'log' ? 'cell' : 'scheduler'}
          />
        )}
        {tab === 'details' && <Details {...props} job={job} />}
        {tab === 'resources' && <Resources job={job} trans={trans} />}
        {tab === 'lineage' && lineage && (
          <Lineage lineage={lineage} trans={trans} />
        )}
        {tab === 'script' && (
          <Fetched
            key="script"
            trans={trans}
            get={async () => {
              const found = await api.script(id);
              return `${found.command.join(' ')}\n\n${found.script}`;
            }}
          />
        )}
        {tab === 'record' && (
          <Fetched
            key="record"
            trans={trans}
            get={async () => JSON.stringify(await api.record(id), null, 2)}
          />
        )}
      </div>
    </>
  );
}

/** Ask for lineage when the view opens, and once more when the job has ended. */
function useLineage(api: HPCApi, job: IJobDetail | null): ILineage | null {
  const [lineage, setLineage] = React.useState<ILineage | null>(null);
  const id = job && !job.foreign ? job.id : '';
  const live = job !== null && isLive(job);
  React.useEffect(() => {
    let isGone = false;
    if (id) {
      api.lineage(id).then(
        found => isGone || setLineage(found),
        () => undefined
      );
    }
    return () => {
      isGone = true;
    };
  }, [api, id, live]);
  return lineage;
}

/** A picture is shown as an image, so that nothing in it runs. */
function Lineage(props: {
  lineage: ILineage;
  trans: TranslationBundle;
}): React.ReactElement {
  const { svg, text } = props.lineage;
  if (!svg) {
    return (
      <pre className="jp-HPCJob-text" tabIndex={0}>
        {text}
      </pre>
    );
  }
  return (
    <div className="jp-HPCJob-lineage" tabIndex={0}>
      <img
        src={`data:image/svg+xml;charset=utf-8,${encodeURIComponent(svg)}`}
        alt={props.trans.__('What this run was made from, and what it made')}
      />
    </div>
  );
}

function Head(
  props: IJobProps & { job: IJobDetail; problem: string }
): React.ReactElement {
  const { job, trans, commands, id } = props;
  const took = elapsed(job);
  const facts = [
    ...place(job, trans),
    took === null ? '' : duration(took),
    job.time_limit_s && isLive(job)
      ? trans.__('limit %1', duration(job.time_limit_s))
      : ''
  ];
  const button = (command: string, label: string) => (
    <button
      key={command}
      className="jp-HPC-button"
      onClick={() => void commands.execute(command, { id })}
    >
      {label}
    </button>
  );
  return (
    <header className={`jp-HPCJob-head jp-mod-${look(job.state)}`}>
      <div>
        <h2>
          <span className="jp-HPC-sign" aria-hidden="true">
            {sign(job.state)}
          </span>{' '}
          {job.name || job.id}
          <span className="jp-HPC-state">{words(job.state, trans)}</span>
          {job.foreign && <Foreign trans={trans} />}
        </h2>
        <p>{facts.filter(fact => fact).join(' · ')}</p>
        {job.reason && <p className="jp-HPCJob-reason">{job.reason}</p>}
        {job.why.length > 0 && (
          <pre className="jp-HPCJob-why">{job.why.join('\n')}</pre>
        )}
        {job.hint && <p className="jp-HPCJob-hint">→ {job.hint}</p>}
        {props.problem && (
          <p className="jp-HPC-problem" role="alert">
            {props.problem}
          </p>
        )}
      </div>
      <div className="jp-HPCJob-buttons">
        {!job.foreign &&
          (isLive(job)
            ? button(CommandIDs.cancel, trans.__('Cancel'))
            : button(CommandIDs.resubmit, trans.__('Resubmit')))}
        {!job.foreign &&
          button(CommandIDs.attach, trans.__('Attach in a notebook cell'))}
        {button(CommandIDs.copyId, trans.__('Copy id'))}
      </div>
    </header>
  );
}

function Details(props: IJobProps & { job: IJobDetail }): React.ReactElement {
  const { job, trans, commands } = props;
  const value = (v: {
    name: string;
    type?: string | null;
    nbytes?: number | null;
  }) =>
    `${v.name}${v.type ? `: ${v.type}` : ''}${v.nbytes ? ` (${size(v.nbytes)})` : ''}`;
  const when = (t: number | null) =>
    t ? new Date(t * 1000).toLocaleString() : '–';
  const asked = Object.entries({ ...job.resources, ...job.spec });
  const amount = (key: string, given: unknown) =>
    key === 'time' && typeof given === 'number'
      ? duration(given)
      : key === 'memory' && typeof given === 'number'
        ? size(given)
        : String(given);
  const rows: [string, React.ReactNode][] = [
    [job.foreign ? trans.__('Job') : trans.__('Run'), <code>{job.id}</code>],
    [trans.__('Submitted'), when(job.created)],
    [trans.__('Started'), when(job.started_at)],
    [trans.__('Ended'), when(job.ended_at)],
    [trans.__('Notebook'), job.notebook || '–'],
    [
      trans.__('Asked for'),
      asked.map(([k, v]) => `${k}=${amount(k, v)}`).join(', ') ||
        trans.__('default resources')
    ],
    [trans.__('Inputs'), job.inputs.map(value).join(', ') || '–'],
    [trans.__('Outputs'), job.outputs.map(value).join(', ') || '–'],
    ...Object.entries(job.unsent).map(
      ([name, why]): [string, React.ReactNode] => [
        trans.__('%1 did not come back', name),
        why
      ]
    ),
    ...job.evidence.map((line): [string, React.ReactNode] => [
      trans.__('Evidence'),
      <code>{line}</code>
    ]),
    ...job.attempts.map((attempt, i): [string, React.ReactNode] => [
      trans.__('Attempt %1', i + 1),
      Object.entries(attempt)
        .map(([k, v]) => `${k}=${String(v)}`)
        .join(', ')
    ]),
    [trans.__('Directory'), <code>{job.directory}</code>]
  ];
  if (job.foreign) {
    rows.splice(4);
    rows.push(
      [trans.__('Log'), job.log_path ? <code>{job.log_path}</code> : '–'],
      [trans.__('To end it'), <code>{job.ends_with}</code>]
    );
  }
  return (
    <div className="jp-HPCJob-details">
      <table>
        <tbody>
          {rows.map(([name, content], i) => (
            <tr key={i}>
              <th scope="row">{name}</th>
              <td>{content}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {job.array_tasks.length > 0 && (
        <ul className="jp-HPCJob-tasks">
          {job.array_tasks.map(task => (
            <li key={task.id}>
              <button
                className="jp-HPC-chip"
                onClick={() =>
                  void commands.execute(CommandIDs.open, { id: task.id })
                }
              >
                {sign(task.state)} {trans.__('task %1', task.task)}{' '}
                {words(task.state, trans)}
              </button>
            </li>
          ))}
        </ul>
      )}
      <pre>{job.code}</pre>
    </div>
  );
}

function Fetched(props: {
  get: () => Promise<string>;
  trans: TranslationBundle;
}): React.ReactElement {
  const [text, setText] = React.useState(props.trans.__('Asking …'));
  React.useEffect(() => {
    props.get().then(setText, error => setText(String(error.message)));
  }, []);
  return (
    <pre className="jp-HPCJob-text" tabIndex={0}>
      {text}
    </pre>
  );
}

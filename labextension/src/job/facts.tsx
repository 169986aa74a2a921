import * as React from 'react';
import { CommandIDs } from '../jobs/commandids';
import { duration, sign, size, when, words } from '../jobs/format';
import { When } from '../parts/when';
import { IJobDetail } from '../server/types';
import { Folded } from './folded';
import { IJobTabProps } from './jobtabs';
import { Section } from './section';

const MOST_TASKS = 24;

type Row = [name: string, content: React.ReactNode];

/** When and how it ran, what was asked for, and where it lies. */
export function Facts(props: IJobTabProps): React.ReactElement {
  const { job, trans } = props;
  const at = (moment: number | null) =>
    moment && <When moment={moment} trans={trans} />;
  const rows: Row[] = [
    [job.foreign ? trans.__('Job') : trans.__('Run'), <code>{job.id}</code>],
    [trans.__('Submitted'), at(job.created)],
    [trans.__('Started'), at(job.started_at)],
    [trans.__('Ended'), at(job.ended_at)],
    [trans.__('Notebook'), job.notebook],
    [trans.__('Tags'), job.tags.join(', ')],
    [trans.__('Asked for'), asked(job, props).join(', ')],
    [trans.__('Directory'), job.directory && <code>{job.directory}</code>]
  ];
  if (job.foreign) {
    rows.push(
      [trans.__('Log'), job.log_path && <code>{job.log_path}</code>],
      [trans.__('To end it'), <code>{job.ends_with}</code>]
    );
  }
  return (
    <Section title={trans.__('About')}>
      <dl className="jp-HPCJob-facts">
        {rows
          .filter(([, content]) => content)
          .map(([name, content]) => (
            <React.Fragment key={name}>
              <dt>{name}</dt>
              <dd>{content}</dd>
            </React.Fragment>
          ))}
      </dl>
    </Section>
  );
}

/** What was asked for: resources as cards have them, and the words of the other options. */
export function asked(
  job: IJobDetail,
  { trans }: Pick<IJobTabProps, 'trans'>
): string[] {
  const { gpu_type: type, ...resources } = job.resources;
  const gpu = type ? `${type} gpu` : 'gpu';
  const count = (given: unknown, word: string) =>
    `${given} ${given === 1 ? word : `${word}s`}`;
  const written: { [key: string]: (given: unknown) => string } = {
    nodes: given => count(given, 'node'),
    tasks: given => count(given, 'task'),
    cpus: given => count(given, 'cpu'),
    gpus: given => count(given, gpu),
    memory: given => size(Number(given)),
    time: given => duration(Number(given))
  };
  const other = (key: string, given: unknown) => {
    const name = key.replace(/_/g, ' ');
    const isGroup = typeof given === 'object' && !Array.isArray(given);
    const words = isGroup ? Object.keys(given ?? {}).join(', ') : given;
    return given === true ? name : `${name} ${words}`;
  };
  const known = Object.entries({ ...resources, ...job.spec }).filter(
    ([key]) => !['name', 'workdir'].includes(key)
  );
  return known.length || job.foreign
    ? known.map(([key, given]) => (written[key] ?? (x => other(key, x)))(given))
    : [trans.__('default resources')];
}

/** Its starts, where the scheduler took one back. */
export function Attempts(props: IJobTabProps): React.ReactElement | null {
  const { job, trans } = props;
  if (job.attempts.length < 2) {
    return null;
  }
  return (
    <Section title={trans.__('Attempts')}>
      <ul className="jp-HPCJob-list">
        {job.attempts.map((attempt, i) => (
          <li key={i}>
            {[
              trans.__('attempt %1', attempt.attempt),
              attempt.node,
              trans.__('from %1', when(attempt.started, trans)),
              attempt.ended
                ? trans.__('until %1', when(attempt.ended, trans))
                : '',
              words(attempt.how ?? '', trans),
              attempt.reason ?? ''
            ]
              .filter(each => each)
              .join(' · ')}
          </li>
        ))}
      </ul>
    </Section>
  );
}

/** The tasks of an array, each with a page of its own. */
export function Tasks(props: IJobTabProps): React.ReactElement | null {
  const { job, trans, commands } = props;
  if (!job.array_tasks.length) {
    return null;
  }
  return (
    <Section title={trans.__('Tasks')}>
      <Folded
        className="jp-HPCJob-tasks"
        most={MOST_TASKS}
        trans={trans}
        items={job.array_tasks.map(task => (
          <li key={task.id}>
            <button
              className="jp-HPC-chip"
              title={task.reason}
              onClick={() =>
                void commands.execute(CommandIDs.open, {
                  id: task.id,
                  preview: true
                })
              }
            >
              {sign(task.state)} {trans.__('task %1', task.task)}{' '}
              {words(task.state, trans)}
            </button>
          </li>
        ))}
      />
    </Section>
  );
}

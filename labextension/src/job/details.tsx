import * as React from 'react';
import { CommandIDs } from '../jobs/commandids';
import { duration, sign, size, words } from '../jobs/format';
import { IJobTabProps } from './jobtabs';

/** What was asked for, what travelled, how it went, and the code. */
export function Details(props: IJobTabProps): React.ReactElement {
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

import * as React from 'react';
import { CommandIDs } from '../jobs/commandids';
import {
  duration,
  isLive,
  lasted,
  look,
  place,
  sign,
  words
} from '../jobs/format';
import { Again } from '../parts/again';
import { Foreign } from '../parts/foreign';
import { reasonOf } from '../parts/waiting';
import { IJobTabProps } from './jobtabs';

/** What is known of a job at a glance, and what can be done with it. */
export function Head(
  props: IJobTabProps & { problem: string }
): React.ReactElement {
  const { job, trans, commands, id } = props;
  const reason = reasonOf(job);
  const facts = [
    ...place(job, trans),
    lasted(job),
    job.time_limit_s && isLive(job)
      ? job.tasks
        ? trans.__('limit %1 for each task', duration(job.time_limit_s))
        : trans.__('limit %1', duration(job.time_limit_s))
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
    <div className={`jp-HPCJob-head jp-mod-${look(job.state)}`}>
      <div>
        <h2>
          <span className="jp-HPC-sign" aria-hidden="true">
            {sign(job.state)}
          </span>{' '}
          {job.name || job.id}{' '}
          <span className="jp-HPC-state">{words(job.state, trans)}</span>
          {job.foreign && <Foreign trans={trans} />}
        </h2>
        <p>{facts.filter(fact => fact).join(' · ')}</p>
        {reason && <p className="jp-HPCJob-reason">{reason}</p>}
        {!job.foreign && <Again job={job} trans={trans} commands={commands} />}
        {props.problem && (
          <p className="jp-HPC-problem" role="alert">
            {props.problem}
          </p>
        )}
      </div>
      <div
        className="jp-HPCJob-buttons"
        role="group"
        aria-label={trans.__('What can be done')}
      >
        {!job.foreign && (
          <>
            {isLive(job)
              ? button(CommandIDs.cancel, trans.__('Cancel'))
              : button(CommandIDs.resubmit, trans.__('Resubmit'))}
            {button(CommandIDs.rerun, trans.__('Rerun with changes'))}
            {button(CommandIDs.attach, trans.__('Attach here'))}
            {button(CommandIDs.folder, trans.__('Open folder'))}
            {button(CommandIDs.sbatch, trans.__('Copy as sbatch'))}
          </>
        )}
        {button(CommandIDs.copyId, trans.__('Copy id'))}
      </div>
    </div>
  );
}

import { TranslationBundle } from '@jupyterlab/translation';
import { CommandRegistry } from '@lumino/commands';
import * as React from 'react';
import { CommandIDs } from '../jobs/commandids';
import { IOwnJob } from '../server/types';

/** What a job was submitted again with, and in whose place: what became of a click. */
export function Again(props: {
  job: IOwnJob;
  trans: TranslationBundle;
  commands: CommandRegistry;
}): React.ReactElement | null {
  const { job, trans } = props;
  if (!job.replaces && !job.replaced_by) {
    return null;
  }
  const link = (id: string) => (
    <button
      className="jp-HPC-link"
      onClick={() => void props.commands.execute(CommandIDs.open, { id })}
    >
      {id}
    </button>
  );
  if (job.replaced_by) {
    return (
      <p className="jp-HPCWaiting-said">
        {trans.__('In its place was submitted')} {link(job.replaced_by)}
      </p>
    );
  }
  return (
    <p className="jp-HPCWaiting-said">
      {job.changed_options
        ? trans.__('Submitted again with')
        : trans.__('Submitted again')}{' '}
      {job.changed_options && <code>{job.changed_options}</code>}{' '}
      {trans.__('in place of')} {link(job.replaces)}
    </p>
  );
}

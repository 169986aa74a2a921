import * as React from 'react';
import { CommandIDs } from '../jobs/commandids';
import { Again } from '../parts/again';
import { Charts } from '../parts/charts';
import { reasonOf, WaitingBlock } from '../parts/waiting';
import { isLive, look } from '../jobs/format';
import { IJobProps, useJob } from '../job/usejob';
import { LogView } from '../job/logview';
import { PanelHead, Sent } from './head';
import { Meters } from './meters';

const MOST_CHARTS = 4; // the job's page has the others

/**
 * A job as its cell shows it, from the server: whatever became of page and kernel. From top to bottom as the kernel's
 * own panel (`display/widget.py`) has it: head, meters, why it waits, what was sent, charts, log.
 */
export function LiveJob(props: IJobProps): React.ReactElement {
  const { id, api, model, commands, trans } = props;
  const [job, problem] = useJob(api, model, id);
  const [replacedBy, setNew] = React.useState('');
  if (!job) {
    return (
      <p className="jp-HPCOutput-live">
        {problem || trans.__('Asking for the job …')}
      </p>
    );
  }
  const after = (!job.foreign && job.replaced_by) || replacedBy;
  if (after) {
    return <LiveJob {...props} id={after} key={after} />;
  }
  const live = isLive(job);
  const reason = reasonOf(job);
  const isAwaited = !job.foreign && job.is_awaited;
  const button = (label: string, onClick: () => unknown) => (
    <button className="jp-HPC-button" onClick={() => void onClick()}>
      {label}
    </button>
  );
  const detach = () =>
    api
      .detach(id)
      .then(() => model.refresh())
      .catch(() => undefined); // the button stays
  return (
    <div className={`jp-HPCOutput-live jp-mod-${look(job.state)}`}>
      <PanelHead job={job} trans={trans}>
        {button(trans.__('Open log'), () =>
          commands.execute(CommandIDs.open, { id })
        )}
        {live && isAwaited && button(trans.__('Detach'), detach)}
        {live &&
          button(trans.__('Cancel'), () =>
            commands.execute(CommandIDs.cancel, { id })
          )}
      </PanelHead>
      {live && <Meters job={job} trans={trans} />}
      {reason && <p>{reason}</p>}
      {!job.foreign && (
        <>
          <Again job={job} trans={trans} commands={commands} />
          <WaitingBlock
            job={job}
            {...{ api, trans, commands, replaced: setNew }}
          />
        </>
      )}
      {!live && job.hint && <p>→ {job.hint}</p>}
      <Sent job={job} trans={trans} />
      <Charts charts={job.charts} trans={trans} most={MOST_CHARTS} />
      <LogView {...props} isLive={live} which="cell" isInOutput />
      {(!live || !isAwaited) && (
        <p className="jp-HPCOutput-quiet">
          {trans.__('Names and plots come with')}{' '}
          <code>{`%hpc attach ${id}`}</code>
        </p>
      )}
    </div>
  );
}

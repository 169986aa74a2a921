import * as React from 'react';
import { CommandIDs } from '../jobs/commandids';
import { isLive } from '../jobs/format';
import { Charts } from '../parts/charts';
import { WaitingBlock } from '../parts/waiting';
import { IOwnJob } from '../server/types';
import { Code } from './code';
import { Displays } from './displays';
import { Attempts, Facts, Tasks } from './facts';
import { IJobTabProps } from './jobtabs';
import { Resources } from './resources';
import { Section } from './section';
import { Tail } from './tail';
import { Files, Values } from './values';

/** All that a person asks of a job first: how it stands and why, what it said, showed, used and made. */
export function Overview(props: IJobTabProps): React.ReactElement {
  const { job, trans, languages } = props;
  const own: IOwnJob | null = job.foreign ? null : job;
  return (
    <div className="jp-HPCJob-overview">
      <div className="jp-HPCJob-columns">
        <div className="jp-HPCJob-main">
          <Why {...props} />
          <Tail {...props} />
          {job.charts.length > 0 && (
            <Section title={trans.__('Metrics')}>
              <Charts charts={job.charts} trans={trans} />
            </Section>
          )}
          {own && <Displays {...props} />}
          {own && <Resources {...props} />}
          <Tasks {...props} />
          {own?.code && (
            <Section title={trans.__('Code')}>
              <Code
                text={own.code}
                language={own.code.startsWith('#!') ? 'shell' : 'python'}
                languages={languages}
                first={own.first_line}
                failed={own.failed_line}
                label={trans.__('Code')}
                trans={trans}
              />
            </Section>
          )}
        </div>
        <div className="jp-HPCJob-side">
          {own && <Values {...props} job={own} />}
          {own && <Files {...props} job={own} />}
          <Facts {...props} />
          <Attempts {...props} />
        </div>
      </div>
    </div>
  );
}

/** Why it waits, or why it ended as it did. */
function Why(props: IJobTabProps): React.ReactElement | null {
  const { api, job, trans, commands } = props;
  const waits = !job.foreign && job.state === 'PENDING';
  if (!waits && !job.hint && !job.evidence.length) {
    return null;
  }
  const replaced = (id: string) =>
    void commands.execute(CommandIDs.open, { id });
  return (
    <Section title={isLive(job) ? trans.__('Why it waits') : trans.__('Why')}>
      {!job.foreign && (
        <WaitingBlock job={job} {...{ api, trans, commands, replaced }} />
      )}
      {job.hint && <p className="jp-HPCJob-hint">→ {job.hint}</p>}
      {job.evidence.length > 0 && (
        <ul className="jp-HPCJob-list" aria-label={trans.__('Evidence')}>
          {job.evidence.map((line, i) => (
            <li key={i}>
              <code>{line}</code>
            </li>
          ))}
        </ul>
      )}
    </Section>
  );
}

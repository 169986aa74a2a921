import { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';
import { CommandIDs } from '../jobs/commandids';
import { Again } from '../parts/again';
import { Elapsed } from '../parts/elapsed';
import { WaitingBlock } from '../parts/waiting';
import { isLive, look, sign, size, times, words } from '../jobs/format';
import { IJobProps, useJob } from '../job/usejob';
import { LogView } from '../job/logview';
import { ISeries, measured } from '../job/resources';
import { IJobDetail } from '../server/types';

const WIDTH = 60;
const HEIGHT = 14;

/** A job as its cell shows it, from the server: whatever became of page and kernel. */
export function LiveJob(props: IJobProps): React.ReactElement {
  const { id, api, model, commands, trans } = props;
  const [job, problem] = useJob(api, model, id);
  const [replacedBy, setNew] = React.useState('');
  if (!job) {
    return <p>{problem || trans.__('Asking for the job …')}</p>;
  }
  const after = (!job.foreign && job.replaced_by) || replacedBy;
  if (after) {
    return <LiveJob {...props} id={after} key={after} />;
  }
  const live = isLive(job);
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
      <div className="jp-HPCOutput-head">
        <span>
          <b>
            <span className="jp-HPC-sign" aria-hidden="true">
              {sign(job.state)}
            </span>{' '}
            {words(job.state, trans)}
          </b>{' '}
          {[job.target, job.native_id, job.node, times(job, trans), job.reason]
            .filter(each => each)
            .join(' · ')}
        </span>
        {live &&
          button(trans.__('Cancel'), () =>
            commands.execute(CommandIDs.cancel, { id })
          )}
        {live && isAwaited && button(trans.__('Detach'), detach)}
        {button(trans.__('Open log'), () =>
          commands.execute(CommandIDs.open, { id })
        )}
      </div>
      <div className="jp-HPCOutput-facts">
        <Elapsed job={job} trans={trans} />
        <Use job={job} trans={trans} />
        <Sent job={job} trans={trans} />
      </div>
      {!job.foreign && (
        <>
          <Again job={job} trans={trans} commands={commands} />
          <WaitingBlock job={job} {...{ api, trans, replaced: setNew }} />
        </>
      )}
      {!live && job.hint && <p className="jp-HPCJob-hint">→ {job.hint}</p>}
      <LogView {...props} isLive={live} which="cell" />
      {(!live || !isAwaited) && (
        <p className="jp-HPCOutput-foot">
          {trans.__('Names and plots come with')}{' '}
          <code>{`%hpc attach ${id}`}</code>
        </p>
      )}
    </div>
  );
}

/** What the job uses, in words and as small lines. */
function Use(props: {
  job: IJobDetail;
  trans: TranslationBundle;
}): React.ReactElement | null {
  const series = measured(props.job, props.trans);
  if (!series.length) {
    return null;
  }
  return (
    <ul className="jp-HPCOutput-use">
      {series.map(each => (
        <li key={each.title}>
          {each.title} <Line {...each} /> {now(each, props.trans)}
        </li>
      ))}
    </ul>
  );
}

function now(series: ISeries, trans: TranslationBundle): string {
  const { points, show, limit } = series;
  const last = points.length ? show(points[points.length - 1][1]) : '–';
  return limit ? trans.__('%1 of %2', last, show(limit)) : last;
}

function Line(props: ISeries): React.ReactElement {
  const { points, most } = props;
  const end = points[points.length - 1]?.[0] || 1;
  const path = points.map(([t, v]) => {
    const y = HEIGHT - 1 - (v / (most || 1)) * (HEIGHT - 2);
    return `${((t / end) * WIDTH).toFixed(1)},${y.toFixed(1)}`;
  });
  return (
    <svg width={WIDTH} height={HEIGHT} aria-hidden="true">
      <polyline className="jp-HPC-line" points={path.join(' ')} />
    </svg>
  );
}

/** What travelled: how much at a glance, the names on a click. */
function Sent(props: {
  job: IJobDetail;
  trans: TranslationBundle;
}): React.ReactElement | null {
  const { job, trans } = props;
  if (!job.inputs.length) {
    return null;
  }
  const total = job.inputs.reduce((sum, each) => sum + (each.nbytes ?? 0), 0);
  return (
    <details>
      <summary>
        {trans._n(
          'sent %1 name, %2',
          'sent %1 names, %2',
          job.inputs.length,
          size(total)
        )}
      </summary>
      <ul>
        {job.inputs.map(each => (
          <li key={each.name}>
            <code>{each.name}</code> {each.type}{' '}
            {each.nbytes ? size(each.nbytes) : ''}
          </li>
        ))}
      </ul>
    </details>
  );
}

import { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';
import { elapsed, isLive, sign, size, times, words } from '../jobs/format';
import { Elapsed } from '../parts/elapsed';
import { useSeconds } from '../parts/now';
import { IJobDetail } from '../server/types';

/** One line: how the job stands, what it is, where it runs, how much of its time is over; its buttons. */
export function PanelHead(props: {
  job: IJobDetail;
  trans: TranslationBundle;
  children: React.ReactNode;
}): React.ReactElement {
  const { job, trans } = props;
  const took = elapsed(job);
  useSeconds(isLive(job) && took !== null);
  // a process of this machine has a number that nobody asks for
  const isKnown = job.native_id && job.backend !== 'local';
  const native = isKnown ? trans.__('job %1', job.native_id) : '';
  const where = [job.target, native].filter(each => each).join(' ');
  const place = [where, job.node].filter(each => each).join(' · ');
  return (
    <header className="jp-HPCOutput-head">
      <div className="jp-HPCOutput-line">
        <b>
          <span className="jp-HPC-sign" aria-hidden="true">
            {sign(job.state)}
          </span>{' '}
          {words(job.state, trans)}
        </b>{' '}
        <span className="jp-HPCOutput-name" title={job.name}>
          {job.name}
        </span>{' '}
        <span className="jp-HPCOutput-place" title={place}>
          {place}
        </span>{' '}
        {took !== null && (
          <span className="jp-HPCOutput-time">
            <Elapsed job={job} trans={trans} /> {times(job, trans)}
          </span>
        )}
      </div>
      <span className="jp-HPCOutput-buttons">{props.children}</span>
    </header>
  );
}

/** What travelled: how much at a glance, the names on a click. */
export function Sent(props: {
  job: IJobDetail;
  trans: TranslationBundle;
}): React.ReactElement | null {
  const { job, trans } = props;
  if (!job.inputs.length) {
    return null;
  }
  const total = job.inputs.reduce((sum, each) => sum + (each.nbytes ?? 0), 0);
  return (
    <details className="jp-HPCOutput-quiet">
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
            <code>{each.name}</code>{' '}
            {(each.type ?? '').replace(/^builtins\./, '')}{' '}
            {each.nbytes ? size(each.nbytes) : ''}
          </li>
        ))}
      </ul>
    </details>
  );
}

import { Dialog, showDialog } from '@jupyterlab/apputils';
import { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';
import { isLive, native } from '../jobs/format';
import { losses } from '../jobs/losses';
import { HPCApi } from '../server/api';
import { IJobDetail } from '../server/types';

const NAMED = 8; // of many; the others are counted

/** Ask whether jobs are to end, naming them and what is lost; then ask their schedulers. */
export async function cancelJobs(
  api: HPCApi,
  trans: TranslationBundle,
  ids: string[]
): Promise<void> {
  const asked = await Promise.allSettled(ids.map(id => api.job(id)));
  const known = asked.flatMap(each =>
    each.status === 'fulfilled' ? [each.value] : []
  );
  const failed = asked.find(each => each.status === 'rejected');
  const jobs = known.filter(isLive);
  if (!jobs.length) {
    throw failed?.reason ?? new Error(over(known, trans));
  }
  const many = jobs.length > 1;
  const answer = await showDialog({
    title: many
      ? trans.__('Cancel %1 jobs?', jobs.length)
      : trans.__('Cancel %1?', jobs[0].name || jobs[0].id),
    body: many ? (
      <Several jobs={jobs} trans={trans} />
    ) : (
      <One job={jobs[0]} trans={trans} />
    ),
    defaultButton: 0,
    buttons: [
      Dialog.cancelButton({
        label: many ? trans.__('Keep them') : trans.__('Keep it')
      }),
      Dialog.warnButton({
        label: many ? trans.__('Cancel the jobs') : trans.__('Cancel the job')
      })
    ]
  });
  if (!answer.button.accept) {
    return;
  }
  const done = await Promise.allSettled(jobs.map(job => api.cancel(job.id)));
  const refused = done.find(each => each.status === 'rejected');
  if (refused) {
    throw refused.reason;
  }
}

/** A list may be older than the end of a job. */
function over(jobs: IJobDetail[], trans: TranslationBundle): string {
  return jobs.length === 1
    ? trans.__(
        '%1 has ended: there is nothing to cancel.',
        jobs[0].name || jobs[0].id
      )
    : trans.__('All of them have ended: there is nothing to cancel.');
}

function One(props: {
  job: IJobDetail;
  trans: TranslationBundle;
}): React.ReactElement {
  const { job, trans } = props;
  const where = job.native_id
    ? trans.__('%1 job %2', job.target, native(job))
    : job.target;
  return (
    <div>
      <p>{job.foreign ? where : `${where} · ${job.id}`}</p>
      {losses(job, trans).map(line => (
        <p key={line}>{line}</p>
      ))}
    </div>
  );
}

function Several(props: {
  jobs: IJobDetail[];
  trans: TranslationBundle;
}): React.ReactElement {
  const { jobs, trans } = props;
  const more = jobs.length - NAMED;
  return (
    <ul className="jp-HPC-plain">
      {jobs.slice(0, NAMED).map(job => (
        <li key={job.id}>
          <b>{job.name || job.id}</b> · {job.target} {native(job)}
          <br />
          {losses(job, trans).join(' ')}
        </li>
      ))}
      {more > 0 && <li>{trans.__('and %1 more', more)}</li>}
    </ul>
  );
}

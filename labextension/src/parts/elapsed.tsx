import { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';
import { elapsed, limitOf } from '../jobs/format';
import { IJob } from '../server/types';

/** How much of its time limit a job that runs has used, as a bar; nothing for any other job. */
export function Elapsed(props: {
  job: IJob;
  trans: TranslationBundle;
}): React.ReactElement | null {
  const { job, trans } = props;
  const took = elapsed(job);
  const limit = limitOf(job);
  if (took === null || !limit) {
    return null;
  }
  const percent = Math.round(100 * Math.min(1, took / limit));
  return (
    <div
      className="jp-HPC-bar"
      role="progressbar"
      aria-label={trans.__('Elapsed of the time limit')}
      aria-valuenow={percent}
      aria-valuemin={0}
      aria-valuemax={100}
    >
      <div style={{ width: `${percent}%` }} />
    </div>
  );
}

import { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

/** The mark of a job that was not submitted by us. */
export function Foreign(props: {
  trans: TranslationBundle;
}): React.ReactElement {
  return (
    <span
      className="jp-HPC-foreign"
      title={props.trans.__(
        'Submitted elsewhere, as with sbatch: here is what the scheduler tells of it.'
      )}
    >
      {props.trans.__('elsewhere')}
    </span>
  );
}

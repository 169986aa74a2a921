import { UseSignal } from '@jupyterlab/ui-components';
import * as React from 'react';
import { Filters } from './filters';
import { IRowsProps, Rows } from './rows';

/** The list of jobs: only the rows that are seen exist. */
export function Queue(props: IRowsProps): React.ReactElement {
  const { model, trans } = props;
  return (
    <UseSignal signal={model.changed} initialSender={model}>
      {() => (
        <div className="jp-HPCQueue">
          <Filters {...props} />
          {model.problem && model.state !== 'unavailable' && (
            <div className="jp-HPC-problem" role="alert">
              {trans.__('No answer from the server: %1', model.problem)}{' '}
              <button
                className="jp-HPC-chip"
                onClick={() => void model.refresh()}
              >
                {trans.__('Try again')}
              </button>
            </div>
          )}
          {model.state === 'unavailable' ? (
            <Empty
              text={trans.__(
                'The server extension of jupyter_hpc is not running here.'
              )}
              hint="jupyter server extension enable jupyter_hpc.server"
            />
          ) : model.state === 'loading' ? (
            <Empty text={trans.__('Looking for jobs …')} />
          ) : model.page.total === 0 ? (
            <NoJobs {...props} />
          ) : (
            <Rows {...props} />
          )}
        </div>
      )}
    </UseSignal>
  );
}

function Empty(props: { text: string; hint?: string }): React.ReactElement {
  return (
    <div className="jp-HPC-empty" role="status">
      <p>{props.text}</p>
      {props.hint && <code>{props.hint}</code>}
    </div>
  );
}

function NoJobs(props: IRowsProps): React.ReactElement {
  const { model, trans } = props;
  const { group, target, notebook, text } = model.query;
  return group || target || notebook || text ? (
    <Empty text={trans.__('No job matches these filters.')} />
  ) : (
    <Empty
      text={trans.__('No jobs yet. Run a cell that begins with:')}
      hint="%%slurm --time 10m"
    />
  );
}

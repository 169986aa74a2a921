import * as React from 'react';
import { isLive } from '../jobs/format';
import { LogName } from '../server/api';
import { useAsked } from '../parts/asked';
import { IJobTabProps } from './jobtabs';
import { LogView } from './logview';

/** What the cell printed and, where there is anything of it, what the scheduler said. */
export function Logs(props: IJobTabProps): React.ReactElement {
  const { api, id, job, trans, isShown } = props;
  const [which, choose] = React.useState<LogName>('cell');
  const live = isLive(job);
  const [scheduler] = useAsked(
    async () => !job.foreign && (await api.log(id, 0, 1, 'scheduler')).size > 0,
    0,
    [api, id, live, isShown]
  );
  const names: [LogName, string][] = [
    ['cell', trans.__('The cell')],
    ['scheduler', trans.__('The scheduler')]
  ];
  return (
    <>
      {scheduler && (
        <div
          className="jp-HPCJob-which"
          role="group"
          aria-label={trans.__('Whose log')}
        >
          {names.map(([name, label]) => (
            <button
              key={name}
              className="jp-HPC-chip"
              aria-pressed={which === name}
              onClick={() => choose(name)}
            >
              {label}
            </button>
          ))}
        </div>
      )}
      <LogView
        {...props}
        key={which}
        which={which}
        isLive={live && isShown !== false}
      />
    </>
  );
}

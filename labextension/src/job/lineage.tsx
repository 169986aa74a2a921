import * as React from 'react';
import { isLive } from '../jobs/format';
import { ILineage } from '../server/types';
import { IJobTabProps } from './jobtabs';

/** What a run was made from and made: asked for when it is shown, and once more when the job has ended. */
export function Lineage(props: IJobTabProps): React.ReactElement {
  const { api, id, job, trans } = props;
  const [lineage, setLineage] = React.useState<ILineage | null>();
  React.useEffect(() => {
    let isGone = false;
    void api.lineage(id).then(found => isGone || setLineage(found));
    return () => {
      isGone = true;
    };
  }, [api, id, isLive(job)]);
  if (!lineage?.svg) {
    const asking = lineage === undefined;
    return (
      <pre className="jp-HPCJob-text" tabIndex={0}>
        {asking ? trans.__('Asking …') : (lineage?.text ?? '–')}
      </pre>
    );
  }
  // shown as an image, so that nothing in it runs
  const svg = encodeURIComponent(lineage.svg);
  return (
    <div className="jp-HPCJob-lineage" tabIndex={0}>
      <img
        src={`data:image/svg+xml;charset=utf-8,${svg}`}
        alt={trans.__('What this run was made from, and what it made')}
      />
    </div>
  );
}

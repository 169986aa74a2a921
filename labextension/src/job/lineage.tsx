import * as React from 'react';
import { CommandIDs } from '../jobs/commandids';
import { isLive } from '../jobs/format';
import { ILineage, IPicture } from '../server/types';
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
  if (!lineage?.picture) {
    const asking = lineage === undefined;
    return (
      <pre className="jp-HPCJob-text" tabIndex={0}>
        {asking ? trans.__('Asking …') : (lineage?.text ?? '–')}
      </pre>
    );
  }
  return (
    <div className="jp-HPCJob-lineage" tabIndex={0}>
      {lineage.stale.map((why, i) => (
        <p key={i} className="jp-HPC-problem">
          {trans.__('stale: %1', why)}
        </p>
      ))}
      <Drawn {...props} picture={lineage.picture} />
    </div>
  );
}

/** The picture; each run in it is a link to its page. */
function Drawn(
  props: IJobTabProps & { picture: IPicture }
): React.ReactElement {
  const { picture, id, commands } = props;
  const open = (run: string) =>
    void commands.execute(CommandIDs.open, { id: run, preview: true });
  return (
    <svg
      className="jp-HPCLineage"
      width={picture.width}
      height={picture.height}
      viewBox={`0 0 ${picture.width} ${picture.height}`}
      role="group"
      aria-label={picture.title}
    >
      {picture.links.map((link, i) => (
        <g key={i} aria-hidden="true">
          <path
            className={`jp-HPCLineage-way${link.may ? ' jp-mod-may' : ''}`}
            d={link.way}
          />
          <path className="jp-HPCLineage-head" d={link.head} />
          <text className="jp-HPCLineage-names" x={link.x} y={link.y}>
            {link.names}
          </text>
        </g>
      ))}
      {picture.boxes.map((box, i) => {
        const run = box.run !== null && box.run !== id ? box.run : null;
        const link: React.SVGProps<SVGGElement> = run
          ? {
              role: 'link',
              tabIndex: 0,
              onClick: () => open(run),
              onKeyDown: event => {
                if (event.key === 'Enter') {
                  open(run);
                }
              }
            }
          : { role: 'img', 'aria-current': box.run === id || undefined };
        return (
          <g
            key={i}
            className={`jp-HPCLineage-box jp-mod-${kindOf(box.kind)}${run ? ' jp-mod-link' : ''}`}
            aria-label={box.lines.filter(each => each).join(', ')}
            data-run={box.run ?? undefined}
            {...link}
          >
            <title>{box.title}</title>
            <rect
              x={box.x}
              y={box.y}
              width={box.width}
              height={box.height}
              rx={5}
            />
            {box.lines.map((line, j) => (
              <text
                key={j}
                className={j ? '' : 'jp-mod-first'}
                x={box.x + 9}
                y={box.y + 18 + 16 * j}
              >
                {line}
              </text>
            ))}
          </g>
        );
      })}
    </svg>
  );
}

/** What style sheets know; anything else looks like a value. */
function kindOf(kind: string): string {
  return ['run', 'failed', 'cell', 'gone'].includes(kind) ? kind : 'value';
}

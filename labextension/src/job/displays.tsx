import { IRenderMimeRegistry, MimeModel } from '@jupyterlab/rendermime';
import { PartialJSONObject } from '@lumino/coreutils';
import { Widget } from '@lumino/widgets';
import * as React from 'react';
import { isLive } from '../jobs/format';
import { useAsked } from '../parts/asked';
import { IDisplay } from '../server/types';
import { IJobTabProps } from './jobtabs';
import { Section } from './section';

const LIVE_MS = 10_000;
const SVG = 'image/svg+xml';
/** What needs a kernel, or would show this page in itself. */
const NOT_HERE = /^application\/vnd\.(jupyter\.widget-view|jupyter-hpc\.)/;

/** Plots and values that a run displayed, as a notebook shows what it doesn't trust. */
export function Displays(props: IJobTabProps): React.ReactElement | null {
  const { api, id, job, trans, rendermime } = props;
  const live = isLive(job);
  const isResting = props.isShown === false;
  const [found] = useAsked(
    () => api.displays(id),
    live && !isResting ? LIVE_MS : 0,
    [api, id, live, isResting]
  );
  if (!found?.displays.length || !rendermime) {
    return null;
  }
  return (
    <Section title={trans.__('What it displayed')}>
      {found.left_out > 0 && (
        <p className="jp-HPC-quiet">
          {trans._n(
            '%1 earlier one is not shown.',
            '%1 earlier ones are not shown.',
            found.left_out
          )}
        </p>
      )}
      {found.displays.map((display, i) => (
        <figure key={i} className="jp-HPCJob-display">
          {display.task !== null && (
            <figcaption>{trans.__('task %1', display.task)}</figcaption>
          )}
          <Shown display={display} rendermime={rendermime} />
        </figure>
      ))}
    </Section>
  );
}

/** One of them; it is drawn anew only when it has changed. */
const Shown = React.memo(
  function Shown(props: {
    display: IDisplay;
    rendermime: IRenderMimeRegistry;
  }): React.ReactElement {
    const { display, rendermime } = props;
    const host = React.useRef<HTMLDivElement>(null);
    const data = React.useMemo(() => kept(display.data), [display]);
    // only what is safe whoever wrote it; what JupyterLab gets untrusted is sanitised by its own renderers
    const mime = rendermime.preferredMimeType(data, 'ensure');
    const picture = data[SVG];
    const isPicture =
      typeof picture === 'string' && (!mime || mime === 'text/plain');
    // before its place goes: a widget is taken out of the page, not left behind
    React.useLayoutEffect(() => {
      if (isPicture || !mime || !host.current) {
        return;
      }
      const metadata = display.metadata as PartialJSONObject;
      const renderer = rendermime.createRenderer(mime);
      Widget.attach(renderer, host.current);
      void renderer.renderModel(
        new MimeModel({ data, metadata, trusted: false })
      );
      return () => renderer.dispose();
    }, [data, mime]);
    if (isPicture) {
      // as an image, nothing in it runs
      return (
        <img
          src={`data:image/svg+xml;charset=utf-8,${encodeURIComponent(picture)}`}
          alt={String(data['text/plain'] ?? '')}
        />
      );
    }
    return <div ref={host} className="jp-HPCJob-shown" />;
  },
  (a, b) => JSON.stringify(a.display) === JSON.stringify(b.display)
);

function kept(data: IDisplay['data']): PartialJSONObject {
  const all = Object.entries(data).filter(([mime]) => !NOT_HERE.test(mime));
  return Object.fromEntries(all) as PartialJSONObject;
}

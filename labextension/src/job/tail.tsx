import { renderText } from '@jupyterlab/rendermime';
import * as React from 'react';
import { isLive } from '../jobs/format';
import { useAsked } from '../parts/asked';
import { IJobTabProps } from './jobtabs';
import { readable } from './logtext';
import { Section } from './section';

const LIVE_MS = 2000;
const BYTES = 16 * 1024;
const LINES = 16;

/** The last lines of a job's log; after a failure its traceback, which is what they end in. */
export function Tail(props: IJobTabProps): React.ReactElement | null {
  const { api, id, job, trans, choose } = props;
  const live = isLive(job);
  const isResting = props.isShown === false;
  const traceback = job.foreign ? '' : job.traceback;
  const [found, problem] = useAsked(
    () => api.log(id, -BYTES, BYTES),
    live && !isResting ? LIVE_MS : 0,
    [api, id, live, isResting]
  );
  const text = ending(found?.text ?? '', !!found && found.offset > 0);
  const whole = choose && (
    <button className="jp-HPC-link" onClick={() => choose('log')}>
      {trans.__('Whole log')}
    </button>
  );
  if (traceback) {
    return (
      <Section title={trans.__('Traceback')} aside={whole}>
        <Words text={traceback} {...props} />
      </Section>
    );
  }
  if (!text && !problem) {
    return null;
  }
  return (
    <Section title={trans.__('End of the log')} aside={whole}>
      {problem ? <p>{problem}</p> : <Words text={text} {...props} />}
    </Section>
  );
}

/** The last lines of a piece of a log; a line that it begins in the middle of isn't one of them. */
export function ending(text: string, isCut: boolean): string {
  const lines = text.replace(/\n+$/, '').split('\n');
  return lines
    .slice(isCut && lines.length > 1 ? 1 : 0)
    .slice(-LINES)
    .join('\n');
}

function Words(
  props: { text: string } & Pick<IJobTabProps, 'sanitizer' | 'trans'>
): React.ReactElement {
  const host = React.useRef<HTMLDivElement>(null);
  React.useEffect(() => {
    host.current?.replaceChildren();
    if (host.current) {
      void renderText({
        host: host.current,
        source: readable(props.text),
        sanitizer: props.sanitizer,
        translator: undefined
      });
    }
  }, [props.text]);
  return (
    <div
      className="jp-HPCJob-tail jp-RenderedText"
      ref={host}
      tabIndex={0}
      role="log"
      aria-label={props.trans.__('End of the log')}
    />
  );
}

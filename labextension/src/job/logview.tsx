import { renderText } from '@jupyterlab/rendermime';
import * as React from 'react';
import { ILogProps, LogTools } from './logtools';
import { IChunk, Place, placed, readable, WINDOW } from './logtext';

const FOLLOW_MS = 1000;

/**
 * A log by windows: some hundred KiB of it are here, however long it is.
 * At its end it follows; scrolled up, it stays.
 */
export function LogView(props: ILogProps): React.ReactElement {
  const { api, id, which, trans } = props;
  const box = React.useRef<HTMLDivElement>(null);
  const [chunks, setChunks] = React.useState<IChunk[]>([]);
  const [size, setSize] = React.useState(0);
  const [follow, setFollow] = React.useState(true);
  const [wrap, setWrap] = React.useState(true);
  const [problem, setProblem] = React.useState('');
  const latest = React.useRef<IChunk[]>([]);
  latest.current = chunks;

  const load = React.useCallback(
    async (offset: number, place: Place, limit = WINDOW) => {
      try {
        const found = await api.log(id, offset, limit, which);
        setSize(found.size);
        setProblem('');
        if (!found.text && place !== 'only') {
          return;
        }
        setChunks(old => placed(old, found, place));
      } catch (error) {
        setProblem(String((error as Error).message));
      }
    },
    [api, id, which]
  );

  React.useEffect(() => {
    void load(-WINDOW, 'only');
  }, [load]);
  React.useEffect(() => {
    let isGone = false;
    const step = async () => {
      const end = latest.current[latest.current.length - 1];
      if (!document.hidden && follow) {
        await load(end ? end.next : 0, 'after');
      }
      if (!isGone && props.isLive) {
        timer = window.setTimeout(step, FOLLOW_MS);
      }
    };
    let timer = window.setTimeout(step, FOLLOW_MS);
    return () => {
      isGone = true;
      window.clearTimeout(timer);
    };
  }, [load, follow, props.isLive]);
  React.useEffect(() => {
    if (follow && box.current) {
      box.current.scrollTop = box.current.scrollHeight;
    }
  }, [chunks, follow]);

  const first = chunks[0];
  const end = chunks[chunks.length - 1];
  if (props.isInOutput && !first?.text && !problem) {
    return <></>;
  }
  return (
    <div className={`jp-HPCLog${wrap ? '' : ' jp-mod-long'}`}>
      <LogTools
        {...props}
        wrap={wrap}
        setWrap={setWrap}
        follow={follow}
        setFollow={value => {
          setFollow(value);
          if (value && end && end.next < size) {
            void load(-WINDOW, 'only');
          }
        }}
        goTo={offset => {
          setFollow(false);
          void load(offset, 'only').then(() => box.current?.scrollTo(0, 0));
        }}
      />
      {problem && (
        <div className="jp-HPC-problem" role="alert">
          {problem}
        </div>
      )}
      <div
        ref={box}
        className="jp-HPCLog-text"
        tabIndex={0}
        role="log"
        aria-label={trans.__('Log')}
        onScroll={event => {
          const it = event.currentTarget;
          const isAtEnd = it.scrollHeight - it.scrollTop - it.clientHeight < 40;
          if (isAtEnd !== follow && (isAtEnd ? end?.next >= size : true)) {
            setFollow(isAtEnd);
          }
        }}
      >
        {first && first.offset > 0 && (
          <button
            className="jp-HPC-chip"
            onClick={() => {
              const start = Math.max(0, first.offset - WINDOW);
              void load(start, 'before', first.offset - start);
            }}
          >
            {trans.__('Earlier lines')}
          </button>
        )}
        {chunks.map(chunk => (
          <Chunk key={chunk.offset} text={chunk.text} {...props} />
        ))}
        {!first?.text && (
          <div className="jp-HPC-empty">
            <p>
              {props.isLive
                ? trans.__('Nothing was printed yet.')
                : trans.__('Nothing was printed.')}
            </p>
          </div>
        )}
        {end && end.next < size && !follow && (
          <button
            className="jp-HPC-chip"
            onClick={() => void load(end.next, 'after')}
          >
            {trans.__('Later lines')}
          </button>
        )}
      </div>
    </div>
  );
}

const Chunk = React.memo(
  function Chunk(
    props: { text: string } & Pick<ILogProps, 'sanitizer' | 'trans'>
  ): React.ReactElement {
    const host = React.useRef<HTMLDivElement>(null);
    React.useEffect(() => {
      if (!host.current) {
        return;
      }
      host.current.replaceChildren();
      void renderText({
        host: host.current,
        source: readable(props.text),
        sanitizer: props.sanitizer,
        translator: undefined
      });
    }, [props.text]);
    return <div className="jp-HPCLog-chunk jp-RenderedText" ref={host} />;
  },
  (a, b) => a.text === b.text
);

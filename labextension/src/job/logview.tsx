import { renderText } from '@jupyterlab/rendermime';
import { IRenderMime } from '@jupyterlab/rendermime-interfaces';
import { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';
import { HPCApi } from '../server/api';
import { fold } from '../jobs/format';
import { IMatches } from '../server/types';

const WINDOW = 64 * 1024;
const MOST_CHUNKS = 24;
const LONGEST_LINE = 4000;
const FOLLOW_MS = 1000;

interface IChunk {
  offset: number;
  next: number;
  text: string;
}

export interface ILogProps {
  api: HPCApi;
  id: string;
  isLive: boolean;
  which: 'cell' | 'scheduler';
  sanitizer: IRenderMime.ISanitizer;
  trans: TranslationBundle;
}

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
  const [problem, setProblem] = React.useState('');
  const latest = React.useRef<IChunk[]>([]);
  latest.current = chunks;

  const load = React.useCallback(
    async (offset: number, place: 'only' | 'before' | 'after') => {
      try {
        const found = await api.log(id, offset, WINDOW, which);
        setSize(found.size);
        setProblem('');
        if (!found.text && place !== 'only') {
          return;
        }
        const chunk = {
          offset: found.offset,
          next: found.next,
          text: found.text
        };
        setChunks(old => {
          if (place === 'only') {
            return [chunk];
          }
          const all = place === 'before' ? [chunk, ...old] : joined(old, chunk);
          return place === 'before'
            ? all.slice(0, MOST_CHUNKS)
            : all.slice(-MOST_CHUNKS);
        });
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
  return (
    <div className="jp-HPCLog">
      <LogTools
        {...props}
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
              void api
                .log(id, start, first.offset - start, which)
                .then(found =>
                  setChunks(old => [found, ...old].slice(0, MOST_CHUNKS))
                );
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

/** Small additions join the last chunk, so that a following log stays few elements. */
function joined(old: IChunk[], chunk: IChunk): IChunk[] {
  const last = old[old.length - 1];
  if (!last || last.next !== chunk.offset) {
    return last ? old : [chunk];
  }
  if (last.text.length < WINDOW) {
    const both = { ...last, next: chunk.next, text: last.text + chunk.text };
    return [...old.slice(0, -1), both];
  }
  return [...old, chunk];
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
      const source = fold(props.text)
        .split('\n')
        .map(line =>
          line.length > LONGEST_LINE
            ? `${line.slice(0, LONGEST_LINE)}… (${line.length})`
            : line
        )
        .join('\n');
      host.current.replaceChildren();
      void renderText({
        host: host.current,
        source,
        sanitizer: props.sanitizer,
        translator: undefined
      });
    }, [props.text]);
    return <div className="jp-HPCLog-chunk jp-RenderedText" ref={host} />;
  },
  (a, b) => a.text === b.text
);

function LogTools(
  props: ILogProps & {
    follow: boolean;
    setFollow: (value: boolean) => void;
    goTo: (offset: number) => void;
  }
): React.ReactElement {
  const { api, id, which, trans } = props;
  const [text, setText] = React.useState('');
  const [found, setFound] = React.useState<IMatches | null>(null);
  const search = async (offset = 0) => {
    const more = text ? await api.search(id, text, offset, which) : null;
    setFound(old =>
      more && old && offset
        ? { ...more, matches: [...old.matches, ...more.matches] }
        : more
    );
  };
  return (
    <div className="jp-HPCLog-tools">
      <label>
        <input
          type="checkbox"
          checked={props.follow}
          onChange={event => props.setFollow(event.target.checked)}
        />
        {trans.__('Follow')}
      </label>
      <form
        role="search"
        onSubmit={event => {
          event.preventDefault();
          void search();
        }}
      >
        <input
          type="search"
          className="jp-HPC-search"
          aria-label={trans.__('Search the log')}
          placeholder={trans.__('Search the log')}
          value={text}
          onChange={event => setText(event.target.value)}
        />
      </form>
      <a
        className="jp-HPC-chip"
        href={api.logFileUrl(id, which)}
        download={`${id}.log`}
      >
        {trans.__('Download')}
      </a>
      {found && (
        <ul className="jp-HPCLog-matches">
          {found.matches.length === 0 && <li>{trans.__('No line has it.')}</li>}
          {found.matches.map(match => (
            <li key={match.line_offset}>
              <button onClick={() => props.goTo(match.line_offset)}>
                {match.line.slice(0, 200)}
              </button>
            </li>
          ))}
          {found.next !== null && (
            <li>
              <button onClick={() => void search(found.next ?? 0)}>
                {trans.__('More matches')}
              </button>
            </li>
          )}
        </ul>
      )}
    </div>
  );
}

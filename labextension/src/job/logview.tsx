import { renderText } from '@jupyterlab/rendermime';
import * as React from 'react';
import { ILogWindow } from '../server/types';
import { ILogProps, LogTools } from './logtools';
import {
  IChunk,
  IRead,
  ISection,
  last,
  Place,
  placed,
  read,
  WINDOW
} from './logtext';

const FOLLOW_MS = 1000;

/**
 * A log by windows: some hundred KiB of it are here, however long it is.
 * At its end it follows; scrolled up, it stays.
 */
export function LogView(props: ILogProps): React.ReactElement {
  const { api, which, trans } = props;
  const box = React.useRef<HTMLDivElement>(null);
  const [chunks, setChunks] = React.useState<IChunk[]>([]);
  const [size, setSize] = React.useState(0);
  const [follow, setFollow] = React.useState(true);
  const seenTop = React.useRef(0);
  const isByHand = React.useRef(false);
  const [wrap, setWrap] = React.useState(true);
  const [problem, setProblem] = React.useState('');
  const [tasks, setTasks] = React.useState<ILogWindow['tasks']>([]);
  const [task, setTask] = React.useState('');
  const shown = task || props.id;
  const isMoving = tasks.length > 0 && !task; // the tasks' texts stand below each other, and each grows
  const reads = React.useRef<IRead[]>([]);
  const latest = React.useRef<IChunk[]>([]);
  latest.current = chunks;

  const load = React.useCallback(
    async (offset: number, place: Place, limit = WINDOW) => {
      try {
        const found = await api.log(shown, offset, limit, which);
        setSize(found.size);
        setTasks(old => (found.tasks.length ? found.tasks : old));
        setProblem('');
        if (!found.text && place !== 'only') {
          return;
        }
        setChunks(old => placed(old, found, place));
      } catch (error) {
        setProblem(String((error as Error).message));
      }
    },
    [api, shown, which]
  );

  React.useEffect(() => {
    void load(-WINDOW, 'only');
  }, [load]);
  React.useEffect(() => {
    let isGone = false;
    const step = async () => {
      const end = latest.current[latest.current.length - 1];
      if (!document.hidden && follow) {
        await (isMoving
          ? load(-WINDOW, 'only')
          : load(end ? end.next : 0, 'after'));
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
  }, [load, follow, isMoving, props.isLive]);
  const hasText = chunks.some(each => each.text);
  React.useEffect(() => {
    const shown = box.current;
    if (!follow || !shown) {
      return;
    }
    const toEnd = () => shown.scrollTo(0, shown.scrollHeight);
    toEnd();
    // text is drawn after it has come, and only where it is seen
    const observer = new ResizeObserver(toEnd);
    [shown, ...Array.from(shown.children)].forEach(each =>
      observer.observe(each)
    );
    return () => observer.disconnect();
  }, [chunks, follow, hasText]);

  const first = chunks[0];
  const end = chunks[chunks.length - 1];
  if (props.isInOutput && !first?.text && !problem) {
    return <></>;
  }
  reads.current = read(chunks, reads.current);
  return (
    <div className={`jp-HPCLog${wrap ? '' : ' jp-mod-long'}`}>
      <LogTools
        {...props}
        wrap={wrap}
        setWrap={setWrap}
        id={shown}
        tasks={tasks}
        task={task}
        setTask={setTask}
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
        {...whenTouched(() => {
          isByHand.current = true;
        })}
        onScroll={event => {
          const it = event.currentTarget;
          if (it.scrollTop === 0 && follow && !isByHand.current) {
            // a notebook took it out of the page and put it back
            it.scrollTo(0, it.scrollHeight);
            return;
          }
          const isAtEnd = it.scrollHeight - it.scrollTop - it.clientHeight < 40;
          const isUp = it.scrollTop < seenTop.current; // else the text has grown
          seenTop.current = it.scrollTop;
          isByHand.current &&= !isAtEnd;
          if (isAtEnd !== follow && (isAtEnd ? end?.next >= size : isUp)) {
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
        {reads.current.map(each => (
          <Chunk key={each.chunk.offset} sections={each.sections} {...props} />
        ))}
        <Chunk sections={last(reads.current)} {...props} />
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

/** Call when somebody is about to scroll. */
function whenTouched(call: () => void): React.DOMAttributes<HTMLElement> {
  return {
    onWheel: call,
    onKeyDown: call,
    onPointerDown: call,
    onTouchMove: call
  };
}

const Chunk = React.memo(
  function Chunk(
    props: { sections: ISection[] } & Pick<ILogProps, 'sanitizer' | 'trans'>
  ): React.ReactElement | null {
    if (!props.sections.length) {
      return null; // an empty element is given the room of many lines
    }
    return (
      <div className="jp-HPCLog-chunk">
        {props.sections.map((section, i) => (
          <Section key={i} {...props} {...section} />
        ))}
      </div>
    );
  },
  (a, b) => same(a.sections, b.sections)
);

function same(a: readonly ISection[], b: readonly ISection[]): boolean {
  return (
    a === b ||
    (a.length === b.length &&
      a.every((each, i) => each.text === b[i].text && each.mark === b[i].mark))
  );
}

const Section = React.memo(
  function Section(
    props: ISection & Pick<ILogProps, 'sanitizer'>
  ): React.ReactElement {
    const host = React.useRef<HTMLDivElement>(null);
    React.useEffect(() => {
      if (!host.current) {
        return;
      }
      host.current.replaceChildren();
      void renderText({
        host: host.current,
        source: props.text,
        sanitizer: props.sanitizer,
        translator: undefined
      });
    }, [props.text]);
    const mark = props.mark && ` jp-mod-${props.mark}`;
    return (
      <div className={`jp-HPCLog-section jp-RenderedText${mark}`} ref={host} />
    );
  },
  (a, b) => a.text === b.text && a.mark === b.mark
);

import { IRenderMime } from '@jupyterlab/rendermime-interfaces';
import { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';
import { HPCApi, LogName } from '../server/api';
import { ILogWindow, IMatches } from '../server/types';

export interface ILogProps {
  api: HPCApi;
  id: string;
  isLive: boolean;
  which: LogName;
  sanitizer: IRenderMime.ISanitizer;
  trans: TranslationBundle;
  /** Stands in the output of a cell: nothing is said of a log that is empty, and the tools come when they are wanted. */
  isInOutput?: boolean;
}

/** Follow, wrap, search and download. */
export function LogTools(
  props: ILogProps & {
    tasks: ILogWindow['tasks'];
    task: string;
    setTask: (id: string) => void;
    follow: boolean;
    setFollow: (value: boolean) => void;
    wrap: boolean;
    setWrap: (value: boolean) => void;
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
      {props.tasks.length > 0 && (
        <select
          aria-label={trans.__('Whose log')}
          value={props.task}
          onChange={event => props.setTask(event.target.value)}
        >
          <option value="">{trans.__('All tasks')}</option>
          {props.tasks.map(each => (
            <option key={each.id} value={each.id}>
              {trans.__('Task %1', each.task)}
            </option>
          ))}
        </select>
      )}
      <label>
        <input
          type="checkbox"
          checked={props.follow}
          onChange={event => props.setFollow(event.target.checked)}
        />
        {trans.__('Follow')}
      </label>
      <label>
        <input
          type="checkbox"
          checked={props.wrap}
          onChange={event => props.setWrap(event.target.checked)}
        />
        {trans.__('Wrap')}
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

import { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';
import { IHPCJobs } from '../jobs/tokens';
import { IQuery } from '../server/api';

/** Which jobs are listed, and how they are grouped. */
export function Filters(props: {
  model: IHPCJobs;
  trans: TranslationBundle;
}): React.ReactElement {
  const { model, trans } = props;
  const { counts, targets, notebooks } = model.page;
  const change = (part: Partial<IQuery>) => {
    model.query = { ...model.query, ...part };
  };
  const groups: [IQuery['group'], string][] = [
    ['', trans.__('All')],
    ['running', trans.__('Running %1', counts.running)],
    ['waiting', trans.__('Waiting %1', counts.waiting)],
    ['ended', trans.__('Ended %1', counts.ended)]
  ];
  return (
    <div className="jp-HPCQueue-filters">
      <div role="group" aria-label={trans.__('State')}>
        {groups.map(([group, label]) => (
          <button
            key={group}
            className="jp-HPC-chip"
            aria-pressed={model.query.group === group}
            onClick={() => change({ group })}
          >
            {label}
          </button>
        ))}
      </div>
      <input
        type="search"
        className="jp-HPC-search"
        placeholder={trans.__('Search jobs')}
        aria-label={trans.__('Search jobs')}
        defaultValue={model.query.text}
        onChange={event => change({ text: event.target.value })}
      />
      <div className="jp-HPCQueue-selects">
        <Select
          label={trans.__('Target')}
          all={trans.__('Target')}
          value={model.query.target}
          values={targets}
          onChange={target => change({ target })}
        />
        <Select
          label={trans.__('Notebook')}
          all={trans.__('Notebook')}
          value={model.query.notebook}
          values={notebooks}
          onChange={notebook => change({ notebook })}
        />
        <Select
          label={trans.__('Group by')}
          all={trans.__('Group by')}
          value={model.query.by}
          values={['target', 'state', 'notebook']}
          labels={[trans.__('target'), trans.__('state'), trans.__('notebook')]}
          onChange={by => change({ by: by as IQuery['by'] })}
        />
        <Select
          label={trans.__('Sort by')}
          all={trans.__('Sort: time')}
          value={model.query.sort === 'time' ? '' : model.query.sort}
          values={['name', 'state', 'duration']}
          labels={[
            trans.__('Sort: name'),
            trans.__('Sort: state'),
            trans.__('Sort: duration')
          ]}
          onChange={sort => change({ sort: sort as IQuery['sort'] })}
        />
      </div>
    </div>
  );
}

function Select(props: {
  label: string;
  all: string;
  value: string;
  values: string[];
  labels?: string[];
  onChange: (value: string) => void;
}): React.ReactElement {
  return (
    <select
      aria-label={props.label}
      title={props.label}
      value={props.value}
      onChange={event => props.onChange(event.target.value)}
    >
      <option value="">{props.all}</option>
      {props.values.map((value, i) => (
        <option key={value} value={value}>
          {props.labels?.[i] ?? value}
        </option>
      ))}
    </select>
  );
}

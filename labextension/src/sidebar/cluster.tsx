import { Clipboard } from '@jupyterlab/apputils';
import { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';
import { HPCApi } from '../server/api';
import { useAsked } from '../parts/asked';
import { ITarget } from '../server/types';

const EVERY_MS = 30000;

export interface IClusterProps {
  api: HPCApi;
  trans: TranslationBundle;
}

/** Per target: whether it is there, what is free, and options to copy. */
export function Cluster(props: IClusterProps): React.ReactElement {
  const { api, trans } = props;
  const [targets, problem] = useAsked(() => api.targets(), EVERY_MS, [api]);
  if (problem) {
    return (
      <div className="jp-HPC-empty" role="alert">
        <p>{trans.__('The targets could not be asked: %1', problem)}</p>
      </div>
    );
  }
  if (!targets) {
    return (
      <div className="jp-HPC-empty" role="status">
        <p>{trans.__('Asking the clusters …')}</p>
      </div>
    );
  }
  return (
    <div className="jp-HPCCluster">
      {targets.map(target => (
        <Target key={target.name} target={target} trans={trans} />
      ))}
    </div>
  );
}

function Target(props: {
  target: ITarget;
  trans: TranslationBundle;
}): React.ReactElement {
  const { target, trans } = props;
  const { magic } = target;
  return (
    <section aria-label={target.name}>
      <h3>
        <span
          className={`jp-HPC-dot ${target.available ? 'jp-mod-good' : 'jp-mod-bad'}`}
          aria-hidden="true"
        />
        {target.name}
        <small>
          {target.available ? trans.__('available') : trans.__('not there')}
        </small>
      </h3>
      <p className="jp-HPCCluster-message">{target.message}</p>
      {target.gpus.length > 0 && (
        <ul className="jp-HPCCluster-gpus">
          {target.gpus.map(gpu => (
            <li key={gpu.type}>
              <span>{gpu.type || trans.__('any type')}</span>
              <Meter free={gpu.free} total={gpu.total} trans={trans} />
              <Copy
                trans={trans}
                text={`${magic} --gpus ${gpu.type ? `${gpu.type}:` : ''}1`}
              />
            </li>
          ))}
        </ul>
      )}
      {target.partitions.length > 0 && (
        <ul className="jp-HPCCluster-parts">
          {target.partitions.map((row, i) => (
            <Part key={i} row={row} magic={magic} trans={trans} />
          ))}
        </ul>
      )}
    </section>
  );
}

/** A partition or a node: its name, and the rest of what it has. */
function Part(props: {
  row: { [key: string]: string };
  magic: string;
  trans: TranslationBundle;
}): React.ReactElement {
  const [[kind, name], ...rest] = Object.entries(props.row);
  return (
    <li>
      <div>
        <span>
          <b>{name}</b> <small>{kind}</small>
        </span>
        {kind === 'partition' && (
          <Copy
            trans={props.trans}
            text={`${props.magic} --partition ${name.replace('*', '')}`}
          />
        )}
      </div>
      <dl>
        {rest
          .filter(([, value]) => value)
          .map(([key, value]) => (
            <React.Fragment key={key}>
              <dt>{key.replace(/_/g, ' ')}</dt>
              <dd>{value}</dd>
            </React.Fragment>
          ))}
      </dl>
    </li>
  );
}

function Meter(props: {
  free: number;
  total: number;
  trans: TranslationBundle;
}): React.ReactElement {
  const { free, total, trans } = props;
  const text = trans.__('%1 of %2 free', free, total);
  return (
    <span className="jp-HPCCluster-meter">
      <meter min={0} max={total} value={free} aria-label={text} />
      {text}
    </span>
  );
}

function Copy(props: {
  text: string;
  trans: TranslationBundle;
}): React.ReactElement {
  const [done, setDone] = React.useState(false);
  return (
    <button
      className="jp-HPC-chip"
      title={props.trans.__('Copy %1', props.text)}
      aria-label={props.trans.__('Copy %1', props.text)}
      onClick={() => {
        Clipboard.copyToSystem(props.text);
        setDone(true);
        window.setTimeout(() => setDone(false), 1500);
      }}
    >
      {done ? props.trans.__('copied') : props.trans.__('copy')}
    </button>
  );
}

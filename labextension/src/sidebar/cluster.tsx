import { TranslationBundle } from '@jupyterlab/translation';
import { CommandRegistry } from '@lumino/commands';
import * as React from 'react';
import { HPCApi } from '../server/api';
import { useAsked } from '../parts/asked';
import { ITarget } from '../server/types';
import { ClusterNodes } from './clusternodes';

const EVERY_MS = 60000;

export interface IClusterProps {
  api: HPCApi;
  commands: CommandRegistry;
  trans: TranslationBundle;
}

/** Each target that is there with who holds its nodes; then, quietly, those that could be. */
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
  const isExpected = (target: ITarget) =>
    target.available || target.source !== 'built in';
  const missing = targets.filter(target => !isExpected(target));
  return (
    <div className="jp-HPCCluster">
      {targets
        .filter(isExpected)
        .sort((a, b) => Number(isHere(a)) - Number(isHere(b)))
        .map(target => (
          <Target key={target.name} target={target} {...props} />
        ))}
      {missing.length > 0 && (
        <details className="jp-HPCCluster-missing">
          <summary>
            {trans.__(
              'not set up here: %1',
              missing.map(each => each.name).join(', ')
            )}
          </summary>
          {missing.map(each => (
            <p key={each.name} className="jp-HPCCluster-message">
              <b>{each.name}</b> {each.message}
            </p>
          ))}
        </details>
      )}
    </div>
  );
}

/** Whether a target is this machine, which stands after the clusters. */
function isHere(target: ITarget): boolean {
  return target.backend === 'local';
}

function Target(
  props: IClusterProps & { target: ITarget }
): React.ReactElement {
  const { target, api, trans } = props;
  const { available, name } = target;
  const [capacity, problem] = useAsked(
    async () => (available ? api.nodes(name) : null),
    EVERY_MS,
    [api, name, available]
  );
  return (
    <section aria-label={name}>
      {/* where it is found, which who looks at nodes doesn't ask */}
      <h3 title={available ? target.message : undefined}>
        <span
          className={`jp-HPC-dot ${available ? 'jp-mod-good' : 'jp-mod-bad'}`}
          aria-hidden="true"
        />
        {name}
        {!available && <small>{trans.__('doesn’t answer')}</small>}
      </h3>
      {!available && <p className="jp-HPCCluster-message">{target.message}</p>}
      {problem && (
        <p className="jp-HPCCluster-message" role="status">
          {problem}
        </p>
      )}
      {capacity && (
        <ClusterNodes
          capacity={capacity}
          magic={target.magic}
          commands={props.commands}
          trans={trans}
        />
      )}
    </section>
  );
}

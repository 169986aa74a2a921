import { Clipboard } from '@jupyterlab/apputils';
import { TranslationBundle } from '@jupyterlab/translation';
import { CommandRegistry } from '@lumino/commands';
import * as React from 'react';
import { CommandIDs } from '../jobs/commandids';
import { ICapacity, INodes } from '../server/types';
import {
  Holder,
  HOLDERS,
  IPart,
  optionsOfNode,
  optionsOfPart,
  partitionsOf,
  partsOf,
  pathOf,
  signOf,
  sizeOf,
  squaresOf
} from './squares';

export interface INodesProps {
  capacity: ICapacity;
  /** What a cell begins with to run there. */
  magic: string;
  commands: CommandRegistry;
  trans: TranslationBundle;
}

/** Partitions and nodes with who holds them; each offers a cell's options. */
export function ClusterNodes(props: INodesProps): React.ReactElement {
  const { capacity, magic, trans } = props;
  const [chosen, setChosen] = React.useState('');
  const parts = partitionsOf(capacity);
  const elsewhere = capacity.queued.filter(each => !each.partition);
  const offer = (key: string, about: string, options: string[]) =>
    chosen === key && (
      <Offer
        {...props}
        about={about}
        lines={options.map(each => `${magic} ${each}`.trim())}
        onClose={() => setChosen('')}
      />
    );
  const choose = (key: string) => setChosen(chosen === key ? '' : key);
  return (
    <>
      {parts.length > 0 && (
        <ul className="jp-HPCCluster-parts" aria-label={trans.__('Partitions')}>
          {parts.map(part => (
            <li key={part.name}>
              <button
                aria-expanded={chosen === `part ${part.name}`}
                onClick={() => choose(`part ${part.name}`)}
              >
                <b>{part.name}</b>
                <span>{freeWords(part, trans)}</span>
                {part.jobs > 0 && <span>{queueWords(part, trans)}</span>}
              </button>
              {offer(`part ${part.name}`, part.name, optionsOfPart(part))}
            </li>
          ))}
        </ul>
      )}
      {elsewhere.map(each => (
        <p key="queued" className="jp-HPCCluster-note">
          {queueWords(each, trans)}
        </p>
      ))}
      {capacity.nodes.length > 0 && <Legend {...props} />}
      {kinds(capacity.nodes).map(([label, nodes]) => (
        <section key={label} aria-label={label || trans.__('Nodes')}>
          {label && <h4>{label}</h4>}
          <ul className="jp-HPCCluster-tiles">
            {nodes.map(node => (
              <li key={`${node.name} ${node.native_state}`}>
                <Tile
                  node={node}
                  trans={trans}
                  isChosen={chosen === node.name}
                  onChoose={() => choose(node.name)}
                />
                {offer(node.name, node.name, optionsOfNode(node))}
              </li>
            ))}
          </ul>
        </section>
      ))}
      {capacity.note && <p className="jp-HPCCluster-note">{capacity.note}</p>}
      {capacity.standing.length > 0 && (
        <ul
          className="jp-HPCCluster-standing"
          aria-label={trans.__('How you stand')}
        >
          {capacity.standing.map(sentence => (
            <li key={sentence}>{sentence}</li>
          ))}
        </ul>
      )}
    </>
  );
}

/** Nodes under a heading for each set of partitions; none where all are in the same ones. */
function kinds(nodes: INodes[]): [string, INodes[]][] {
  const found = new Map<string, INodes[]>();
  for (const node of nodes) {
    const label = node.partitions.join(', ');
    found.set(label, [...(found.get(label) ?? []), node]);
  }
  return found.size > 1 ? [...found] : [['', nodes]];
}

function Tile(props: {
  node: INodes;
  isChosen: boolean;
  onChoose: () => void;
  trans: TranslationBundle;
}): React.ReactElement {
  const { node, isChosen, trans } = props;
  return (
    <button
      className={`jp-HPCCluster-tile jp-mod-${node.state}`}
      aria-expanded={isChosen}
      aria-label={nodeWords(node, trans)}
      title={details(node, trans)}
      onClick={props.onChoose}
    >
      <span>
        <b>{node.name}</b>
        {node.count > 1 && <small>{`×${node.count}`}</small>}
      </span>
      <Squares holders={squaresOf(node).holders} />
    </button>
  );
}

function Squares(props: { holders: Holder[] }): React.ReactElement {
  const { holders } = props;
  const { width, height } = sizeOf(holders);
  return (
    <svg
      className="jp-HPCCluster-squares"
      aria-hidden="true"
      {...{ width, height }}
    >
      {HOLDERS.filter(each => holders.includes(each)).map(holder => (
        <g key={holder} className={`jp-mod-${holder}`}>
          <path d={pathOf(holders, holder)} />
          <path className="jp-HPCCluster-sign" d={signOf(holders, holder)} />
        </g>
      ))}
    </svg>
  );
}

/** What the squares mean that are there. */
function Legend(props: INodesProps): React.ReactElement {
  const { capacity, trans } = props;
  const squares = capacity.nodes.map(squaresOf);
  const there = new Set(squares.flatMap(each => each.holders));
  const words: { [of in Holder]: string } = {
    free: trans.__('free'),
    mine: trans.__('yours'),
    others: capacity.nodes.some(node => node.cpus.mine === null)
      ? trans.__('in use')
      : trans.__('others’'),
    away: trans.__('down'),
    unseen: trans.__('not to be seen')
  };
  const units = new Set(squares.map(each => each.unit));
  const unit =
    units.size > 1
      ? trans.__('A square: a gpu, or cpus of a node without.')
      : units.has('gpus')
        ? trans.__('A square: a gpu.')
        : trans.__('A square: cpus.');
  return (
    <p className="jp-HPCCluster-legend">
      {HOLDERS.filter(each => there.has(each)).map(holder => (
        <span key={holder}>
          <Squares holders={[holder]} /> {words[holder]}
        </span>
      ))}
      <span>{unit}</span>
    </p>
  );
}

/** A cell's first line that leads there, to copy or for a new cell. */
function Offer(
  props: INodesProps & { about: string; lines: string[]; onClose: () => void }
): React.ReactElement {
  const { about, lines, commands, trans } = props;
  const [copied, setCopied] = React.useState('');
  return (
    <div
      className="jp-HPCCluster-offer"
      role="group"
      aria-label={trans.__('Options for %1', about)}
      onKeyDown={event => {
        if (event.key === 'Escape') {
          // back to what was clicked, which stands before
          const before = event.currentTarget.previousElementSibling;
          (before as HTMLElement | null)?.focus();
          props.onClose();
        }
      }}
    >
      {lines.map(line => (
        <div key={line}>
          <code>
            {line.split(/ (?=--)/).map((option, i) => (
              <React.Fragment key={i}>
                {i > 0 && ' '}
                <span>{option}</span>
              </React.Fragment>
            ))}
          </code>
          <button
            className="jp-HPC-chip"
            aria-label={trans.__('Copy %1', line)}
            onClick={() => {
              Clipboard.copyToSystem(line);
              setCopied(line);
            }}
          >
            {copied === line ? trans.__('copied') : trans.__('copy')}
          </button>
          <button
            className="jp-HPC-chip"
            aria-label={trans.__('New cell with %1', line)}
            onClick={() =>
              void commands.execute(CommandIDs.insert, { source: `${line}\n` })
            }
          >
            {trans.__('new cell')}
          </button>
        </div>
      ))}
    </div>
  );
}

function freeWords(part: IPart, trans: TranslationBundle): string {
  const nodes = trans._n('%1 node', '%1 nodes', part.nodes);
  const unit = part.unit === 'gpus' ? trans.__('gpus') : trans.__('cpus');
  return part.free === null
    ? `${nodes}, ${part.total} ${unit}`
    : `${nodes}, ${trans.__('%1 of %2 %3 free', part.free, part.total, unit)}`;
}

function queueWords(
  queued: { jobs: number; mine: number },
  trans: TranslationBundle
): string {
  const { jobs, mine } = queued;
  const all = trans._n('%1 job waits', '%1 jobs wait', jobs);
  if (!mine) {
    return all;
  }
  const own = jobs === mine ? trans.__('yours') : trans.__('%1 yours', mine);
  return `${all}, ${own}`;
}

/** A node in words: "c1: 2 of 4 gpus free, 1 yours, 1 others’". */
export function nodeWords(node: INodes, trans: TranslationBundle): string {
  const unit = node.gpus.total ? 'gpus' : 'cpus';
  const word = unit === 'gpus' ? trans.__('gpus') : trans.__('cpus');
  const { total, free, mine } = node[unit];
  const many = node.count > 1 ? trans.__(' (%1 nodes)', node.count) : '';
  const counts = partsOf(node, unit)
    .filter(([holder, count]) => count && holder !== 'free')
    .map(([holder, count]) =>
      holder === 'mine'
        ? trans.__('%1 yours', count)
        : holder !== 'others'
          ? ''
          : mine === null
            ? trans.__('%1 in use', count)
            : trans.__('%1 others’', count)
    );
  const first =
    node.state !== 'up'
      ? node.native_state || node.state
      : free === null
        ? `${total} ${word}`
        : trans.__('%1 of %2 %3 free', free, total, word);
  const said = [first, ...counts.filter(Boolean)].join(', ');
  return `${node.name}${many}: ${said}${node.reason ? `: ${node.reason}` : ''}`;
}

function details(node: INodes, trans: TranslationBundle): string {
  const { cpus, memory, gpus } = node;
  const part = (
    free: number | null,
    total: number,
    unit: string,
    size = (amount: number) => String(amount)
  ) =>
    !total
      ? ''
      : free === null
        ? `${size(total)} ${unit}`
        : trans.__('%1 of %2 %3 free', size(free), size(total), unit);
  const gib = (amount: number) => `${Math.round(amount / 1024)} GiB`;
  const type = node.gpu_type ? `gpus ${node.gpu_type}` : 'gpus';
  return [
    nodeWords(node, trans),
    part(cpus.free, cpus.total, 'cpus'),
    part(memory.free, memory.total, trans.__('memory'), gib),
    part(gpus.free, gpus.total, type),
    node.native_state,
    node.partitions.length
      ? trans.__('partitions: %1', node.partitions.join(', '))
      : ''
  ]
    .filter(Boolean)
    .join('\n');
}

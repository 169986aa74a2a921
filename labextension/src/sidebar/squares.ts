import { ICapacity, INodes } from '../server/types';

/** Who has a square; `away` is on a node that takes no jobs, `unseen` where that may not be seen. */
export type Holder = 'free' | 'mine' | 'others' | 'away' | 'unseen';

export const HOLDERS: Holder[] = ['free', 'mine', 'others', 'away', 'unseen'];

/** A node's gpus as squares, or its cpus where it has none; `each` is how many of them one square is. */
export interface ISquares {
  unit: 'gpus' | 'cpus';
  each: number;
  holders: Holder[];
}

/** Squares of a node at most; more gpus or cpus share one. */
export const MOST = 16;
export const COLUMNS = 8;
const SIDE = 8;
const STEP = 10;

/** Lay a node's gpus or cpus out: one's own first, then others', then what is free. */
export function squaresOf(node: INodes): ISquares {
  const unit = node.gpus.total ? 'gpus' : 'cpus';
  const parts = partsOf(node, unit);
  const total = parts.reduce((sum, [, count]) => sum + count, 0);
  const squares = Math.min(total, MOST);
  const counts = shared(
    parts.map(([, count]) => count),
    squares
  );
  return {
    unit,
    each: squares ? total / squares : 1,
    holders: parts.flatMap(([holder], i) =>
      Array<Holder>(counts[i]).fill(holder)
    )
  };
}

/** Who holds how much of a node, in the order of its squares. */
export function partsOf(
  node: INodes,
  unit: 'gpus' | 'cpus'
): [Holder, number][] {
  const { total, free, mine } = node[unit];
  const own = mine ?? 0;
  if (node.state !== 'up') {
    return [
      ['mine', own],
      ['away', total - own]
    ];
  }
  if (free === null) {
    return [['unseen', total]];
  }
  return [
    ['mine', own],
    ['others', Math.max(total - free - own, 0)],
    ['free', free]
  ];
}

/** Share squares out by size; what there is at all gets one, as long as there are enough. */
function shared(counts: number[], squares: number): number[] {
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (total <= squares) {
    return counts;
  }
  const found = counts.map(count =>
    count ? Math.max(1, Math.floor((count / total) * squares)) : 0
  );
  const lack = (i: number) => (counts[i] / total) * squares - found[i];
  const order = () => counts.map((_, i) => i).sort((a, b) => lack(b) - lack(a));
  let rest = squares - found.reduce((sum, count) => sum + count, 0);
  for (; rest > 0; rest--) {
    found[order()[0]] += 1;
  }
  for (; rest < 0; rest++) {
    found[
      order()
        .filter(i => found[i] > 1)
        .pop()!
    ] -= 1;
  }
  return found;
}

/** The outline of all squares of one holder, as an SVG path. */
export function pathOf(holders: Holder[], holder: Holder): string {
  return placesOf(holders, holder)
    .map(
      ([x, y]) => `M${x + 0.5} ${y + 0.5}h${SIDE - 1}v${SIDE - 1}h${1 - SIDE}z`
    )
    .join('');
}

/** What tells a holder's squares from others' without colour: a dot, a slash, a cross. */
export function signOf(holders: Holder[], holder: Holder): string {
  const [near, far] = [2, SIDE - 2];
  const slash = (x: number, y: number) =>
    `M${x + near} ${y + far}L${x + far} ${y + near}`;
  const signs: { [of in Holder]: (x: number, y: number) => string } = {
    free: () => '',
    mine: (x, y) => `M${x + 3} ${y + 3}h2v2h-2z`,
    others: slash,
    away: (x, y) =>
      `${slash(x, y)}M${x + near} ${y + near}L${x + far} ${y + far}`,
    unseen: (x, y) => `M${x + 3} ${y + 4}h2`
  };
  return placesOf(holders, holder)
    .map(([x, y]) => signs[holder](x, y))
    .join('');
}

function placesOf(holders: Holder[], holder: Holder): [number, number][] {
  return holders.flatMap((each, i): [number, number][] =>
    each === holder
      ? [[(i % COLUMNS) * STEP, Math.floor(i / COLUMNS) * STEP]]
      : []
  );
}

/** How much room squares take. */
export function sizeOf(holders: Holder[]): { width: number; height: number } {
  const gap = STEP - SIDE;
  const columns = Math.min(holders.length, COLUMNS);
  const rows = Math.ceil(holders.length / COLUMNS);
  return {
    width: Math.max(columns * STEP - gap, 0),
    height: Math.max(rows * STEP - gap, 0)
  };
}

/** A partition, with the sums of its nodes and what waits for it. */
export interface IPart {
  name: string;
  nodes: number;
  unit: 'gpus' | 'cpus';
  total: number;
  free: number | null;
  gpuTypes: string[];
  jobs: number;
  mine: number;
}

/** The partitions of a cluster, the default one first as its nodes name it. */
export function partitionsOf(capacity: ICapacity): IPart[] {
  const names = [...new Set(capacity.nodes.flatMap(node => node.partitions))];
  return names.map(name => {
    const own = capacity.nodes.filter(node => node.partitions.includes(name));
    const unit = own.some(node => node.gpus.total) ? 'gpus' : 'cpus';
    const queued = capacity.queued.find(each => each.partition === name);
    const free = own.map(node => (node.state === 'up' ? node[unit].free : 0));
    return {
      name,
      unit,
      nodes: sum(own.map(node => node.count)),
      total: sum(own.map(node => node[unit].total)),
      free: free.includes(null) ? null : sum(free as number[]),
      gpuTypes: [...new Set(own.map(each => each.gpu_type).filter(Boolean))],
      jobs: queued?.jobs ?? 0,
      mine: queued?.mine ?? 0
    };
  });
}

function sum(numbers: number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}

/** Options that bring a cell to nodes like this one, for each of its partitions. */
export function optionsOfNode(node: INodes): string[] {
  const size = node.gpus.total
    ? `--gpus ${node.gpu_type ? `${node.gpu_type}:` : ''}1`
    : cpusOf(node);
  const partitions = node.partitions.length ? node.partitions : [''];
  return partitions.map(name =>
    [name && `--partition ${name}`, size].filter(Boolean).join(' ')
  );
}

/** As many cpus as one of these nodes has free, or has at all. */
function cpusOf(node: INodes): string {
  const { free, total } = node.cpus;
  const each = Math.floor((free || total) / node.count);
  return each > 1 ? `--cpus ${each}` : '';
}

/** Options that bring a cell to a partition. */
export function optionsOfPart(part: IPart): string[] {
  const gpus =
    part.unit === 'gpus' ? (part.gpuTypes.length ? part.gpuTypes : ['']) : [];
  const sizes = gpus.map(type => ` --gpus ${type && `${type}:`}1`);
  return (sizes.length ? sizes : ['']).map(
    size => `--partition ${part.name}${size}`
  );
}

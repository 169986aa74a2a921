import { INodes } from '../src/server/types';

/** A node of eight cpus that nobody uses. */
export function node(name: string, more: Partial<INodes> = {}): INodes {
  return {
    name,
    count: 1,
    partitions: [],
    state: 'up',
    native_state: '',
    reason: '',
    gpu_type: '',
    cpus: { total: 8, free: 8, mine: 0 },
    memory: { total: 16384, free: 16384, mine: 0 },
    gpus: { total: 0, free: 0, mine: 0 },
    ...more
  };
}

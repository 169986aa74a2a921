import { Signal } from '@lumino/signaling';
import { describe, expect, it } from 'vitest';
import { IHPCJobs } from '../src/jobs/tokens';
import { IQuery } from '../src/server/api';
import { remember } from '../src/sidebar/remembered';

const ALL: IQuery = {
  group: '',
  target: '',
  notebook: '',
  text: '',
  by: '',
  sort: '',
  unfolded: ''
};

function setUp(kept: { [key: string]: string }) {
  const model = { query: { ...ALL, text: 'train' } } as {
    query: IQuery;
    changed: Signal<object, void>;
  };
  model.changed = new Signal(model);
  const slots: (() => void)[] = [];
  const written: [string, string][] = [];
  const settings = {
    get: (key: string) => ({ composite: kept[key] }),
    set: async (key: string, value: string) => {
      kept[key] = value;
      written.push([key, value]);
      slots.forEach(slot => slot());
    },
    changed: { connect: (slot: () => void) => slots.push(slot) > 0 }
  };
  remember(model as unknown as IHPCJobs, settings);
  return { model, settings, written, slots };
}

describe('the order of the list', () => {
  it('is what was chosen the last time', () => {
    const { model, written } = setUp({ sort: 'duration', by: 'state' });
    expect(model.query).toEqual({
      ...ALL,
      text: 'train',
      sort: 'duration',
      by: 'state'
    });
    model.changed.emit();
    expect(written).toEqual([]);
  });

  it('is kept when it is chosen, once', () => {
    const { model, written } = setUp({});
    model.query = { ...model.query, sort: 'name' };
    model.changed.emit();
    model.changed.emit();
    expect(written).toEqual([['sort', 'name']]);
    expect(model.query.sort).toBe('name');
  });

  it('follows the settings, and another setting changes nothing', () => {
    const kept: { [key: string]: string } = {};
    const { model, slots } = setUp(kept);
    model.query = { ...model.query, by: 'target' };
    slots.forEach(slot => slot());
    expect(model.query.by).toBe('target');
    kept.sort = 'state';
    slots.forEach(slot => slot());
    expect(model.query.sort).toBe('state');
  });
});

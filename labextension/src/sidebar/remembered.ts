import { IHPCJobs } from '../jobs/tokens';
import { IQuery } from '../server/api';

/** What is used of JupyterLab's settings of the sidebar. */
export interface ISettings {
  get(key: string): { composite: unknown };
  set(key: string, value: string): Promise<void>;
  readonly changed: { connect(slot: () => void): boolean };
}

const KEPT = ['sort', 'by'] as const;

/** Keep the list's order and groups in the user's settings, and take them from there. */
export function remember(model: IHPCJobs, settings: ISettings): void {
  let known: Partial<IQuery> = {};
  const read = () => {
    const found: Partial<IQuery> = {};
    for (const key of KEPT) {
      const value = settings.get(key).composite;
      found[key] = (typeof value === 'string' ? value : '') as never;
    }
    if (KEPT.some(key => found[key] !== known[key])) {
      known = found;
      model.query = { ...model.query, ...found };
    }
  };
  read();
  settings.changed.connect(read);
  model.changed.connect(() => {
    for (const key of KEPT) {
      const value = model.query[key];
      if (value !== known[key]) {
        known = { ...known, [key]: value };
        void settings.set(key, value);
      }
    }
  });
}

import { IJob } from '../server/types';
import { isLive } from './format';

export type Act = IJob['acts'][number];

/** What the user may do with a job as it stands. */
export function actsOf(job: IJob): Act[] {
  return job.foreign ? job.acts : isLive(job) ? ['cancel'] : [];
}

/** The same as classes, which menus look for. */
export function actClasses(job: IJob): string {
  return actsOf(job)
    .map(act => ` jp-mod-can-${act}`)
    .join('');
}

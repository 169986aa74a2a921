import { IEditorLanguageRegistry } from '@jupyterlab/codemirror';
import { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { IRenderMime } from '@jupyterlab/rendermime-interfaces';
import { TranslationBundle } from '@jupyterlab/translation';
import { CommandRegistry } from '@lumino/commands';
import * as React from 'react';
import { isLive } from '../jobs/format';
import { IHPCJobs } from '../jobs/tokens';
import { useAsked } from '../parts/asked';
import { HPCApi } from '../server/api';
import { IJobDetail } from '../server/types';

const LIVE_MS = 3000;

/** What whoever shows one job is given. */
export interface IJobProps {
  id: string;
  api: HPCApi;
  model: IHPCJobs;
  commands: CommandRegistry;
  sanitizer: IRenderMime.ISanitizer;
  trans: TranslationBundle;
  /** What shows displays; without it none are shown. */
  rendermime?: IRenderMimeRegistry | null;
  /** What colours code; without it code is plain text. */
  languages?: IEditorLanguageRegistry | null;
}

/** Ask for a job now, at each change, and while it lives every few seconds. */
export function useJob(
  api: HPCApi,
  model: IHPCJobs,
  id: string
): [IJobDetail | null, string] {
  const [live, setLive] = React.useState(true);
  const [job, problem, ask] = useAsked(() => api.job(id), live ? LIVE_MS : 0, [
    api,
    id
  ]);
  const isStill = job === null || isLive(job);
  React.useEffect(() => setLive(isStill), [isStill]);
  React.useEffect(() => {
    const onChange = () => ask();
    if (live) {
      model.changed.connect(onChange);
    }
    return () => {
      model.changed.disconnect(onChange);
    };
  }, [model, live]);
  return [job, problem];
}

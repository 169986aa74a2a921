import { InputDialog } from '@jupyterlab/apputils';
import { TranslationBundle } from '@jupyterlab/translation';
import { HPCApi } from '../server/api';
import { IJob } from '../server/types';

type Tagged = Pick<IJob, 'id' | 'tags'>;

/** Ask for a tag, and give it to jobs: many share a word, which their ids follow. */
export async function tagJobs(
  api: HPCApi,
  trans: TranslationBundle,
  jobs: Tagged[]
): Promise<void> {
  const answer = await InputDialog.getText({
    title: trans._n('Tag %1 job', 'Tag %1 jobs', jobs.length),
    label:
      jobs.length > 1
        ? trans.__('A word, as sweep: each gets it, followed by its id')
        : trans.__('A word, or a whole tag as model:v3'),
    okLabel: trans.__('Tag')
  });
  const tag = answer.value?.trim();
  if (!answer.button.accept || !tag) {
    return;
  }
  if (jobs.length > 1 && tag.includes(':')) {
    throw new Error(
      trans.__('%1 can be one job’s only. Give many a word without colon.', tag)
    );
  }
  for (const job of jobs) {
    await api.tag(job.id, tag);
  }
}

/** Ask which of their tags jobs are to lose: all, where there is one only. */
export async function untagJobs(
  api: HPCApi,
  trans: TranslationBundle,
  jobs: Tagged[]
): Promise<void> {
  const tags = new Map(
    jobs.flatMap(job => job.tags.map((tag): [string, string] => [tag, job.id]))
  );
  const items = [...tags.keys()].sort();
  const answer = await InputDialog.getMultipleItems({
    title: trans.__('Remove tags'),
    label: trans.__('Those that are marked go'),
    items,
    defaults: items.length === 1 ? items : [],
    okLabel: trans.__('Remove')
  });
  if (answer.button.accept) {
    for (const tag of answer.value ?? []) {
      await api.untag(tags.get(tag) ?? '', tag);
    }
  }
}

import { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';
import { CommandIDs } from '../jobs/commandids';
import { size } from '../jobs/format';
import { useAsked } from '../parts/asked';
import { IFile, IOwnJob } from '../server/types';
import { Folded } from './folded';
import { IJobTabProps } from './jobtabs';
import { Section } from './section';

type OwnProps = IJobTabProps & { job: IOwnJob };

interface IThing {
  name: string;
  detail: string;
  link?: React.ReactNode;
}

/** What a run used and what it made: values with the run that they come from, files. */
export function Values(props: OwnProps): React.ReactElement {
  const { job, trans, commands } = props;
  const weight = (bytes: number | null) => (bytes === null ? '' : size(bytes));
  const value = (each: {
    name: string;
    type: string | null;
    nbytes: number | null;
  }): IThing => ({
    name: each.name,
    detail: [short(each.type), weight(each.nbytes)].filter(x => x).join(', ')
  });
  const files = (role: string) =>
    job.files
      .filter(file => file.role === role)
      .map((file): IThing => ({
        name: file.path,
        detail: [weight(file.nbytes), file.why].filter(x => x).join(', ')
      }));
  const used = [
    ...job.inputs.map(input => ({
      ...value(input),
      link: input.origin && (
        <button
          className="jp-HPC-link"
          aria-label={trans.__('Open the run that made %1', input.name)}
          title={input.origin}
          onClick={() =>
            void commands.execute(CommandIDs.open, {
              id: input.origin,
              preview: true
            })
          }
        >
          {trans.__('its run')}
        </button>
      )
    })),
    ...files('used')
  ];
  const made = [...job.outputs.map(value), ...files('generated')];
  const unsent = Object.entries(job.unsent);
  return (
    <>
      <Things title={trans.__('What it used')} things={used} trans={trans} />
      <Things title={trans.__('What it made')} things={made} trans={trans} />
      <Things
        title={trans.__('What did not come back')}
        things={unsent.map(([name, detail]) => ({ name, detail }))}
        trans={trans}
      />
    </>
  );
}

function Things(props: {
  title: string;
  things: IThing[];
  trans: TranslationBundle;
}): React.ReactElement | null {
  if (!props.things.length) {
    return null;
  }
  return (
    <Section title={props.title}>
      <Folded
        className="jp-HPCJob-list"
        trans={props.trans}
        items={props.things.map(({ name, detail, link }, i) => (
          <li key={i}>
            <code>{name}</code>
            <span className="jp-HPC-quiet">{detail}</span>
            {link}
          </li>
        ))}
      />
    </Section>
  );
}

/** `numpy.ndarray` is an `ndarray` to whoever reads it; of our own worlds the whole name stays in the record. */
function short(type: string | null): string {
  return (type ?? '').replace(/^builtins\./, '').replace(/^.*\./, '');
}

/** The files of a run, each a download. */
export function Files(props: OwnProps): React.ReactElement | null {
  const { api, id, job, trans } = props;
  const [found] = useAsked(() => api.files(id), 0, [api, id, job.state]);
  const files = found?.files.filter(
    each => each.role !== 'log' || each.nbytes > 0
  );
  if (!files?.length) {
    return null;
  }
  return (
    <Section title={trans.__('Files')}>
      <Folded
        className="jp-HPCJob-list"
        trans={trans}
        items={files.map((file: IFile) => (
          <li key={file.name}>
            <a href={api.fileUrl(id, file.name)} download>
              {file.title}
            </a>
            <span className="jp-HPC-quiet">{size(file.nbytes)}</span>
          </li>
        ))}
      />
    </Section>
  );
}

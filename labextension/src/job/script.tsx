import * as React from 'react';
import { Fetched } from './fetched';
import { IJobTabProps } from './jobtabs';
import { Section } from './section';

/** The command and the script, or the manifest, as they were submitted. */
export function Script(props: IJobTabProps): React.ReactElement {
  const { api, id, job, trans, languages } = props;
  const asked = React.useMemo(() => api.script(id), [api, id]);
  const shared = { trans, languages, when: id };
  return (
    <div className="jp-HPCJob-script">
      <Section title={trans.__('Command')}>
        <Fetched
          {...shared}
          label={trans.__('Command')}
          language="shell"
          get={async () => command((await asked).command)}
        />
      </Section>
      <Section title={trans.__('Script')}>
        <Fetched
          {...shared}
          label={trans.__('Script')}
          language={job.backend === 'kubernetes' ? 'yaml' : 'shell'}
          get={async () => (await asked).script}
        />
      </Section>
    </div>
  );
}

/** A command as a shell takes it, an argument a line. */
export function command(words: string[]): string {
  const quoted = words.map(word =>
    /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replace(/'/g, `'\\''`)}'`
  );
  return quoted.join(' \\\n  ');
}

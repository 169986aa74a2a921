import * as React from 'react';
import { useAsked } from '../parts/asked';
import { Code } from './code';
import { IJobTabProps } from './jobtabs';

/** A text that is asked for when it is shown, and again when what it hangs on has changed. */
export function Fetched(
  props: {
    get: () => Promise<string>;
    language: string;
    label: string;
    when: string;
  } & Pick<IJobTabProps, 'trans' | 'languages'>
): React.ReactElement {
  const { trans, languages, language, label, when } = props;
  const [text, problem] = useAsked(props.get, 0, [when]);
  if (text === null) {
    return (
      <p className="jp-HPCJob-text" role="status">
        {problem || trans.__('Asking …')}
      </p>
    );
  }
  return <Code {...{ text, language, languages, label, trans }} />;
}

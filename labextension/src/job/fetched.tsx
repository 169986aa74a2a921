import { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

/** A text that is asked for once. */
export function Fetched(props: {
  get: () => Promise<string>;
  trans: TranslationBundle;
}): React.ReactElement {
  const [text, setText] = React.useState(props.trans.__('Asking …'));
  React.useEffect(() => {
    props.get().then(setText, error => setText(String(error.message)));
  }, []);
  return (
    <pre className="jp-HPCJob-text" tabIndex={0}>
      {text}
    </pre>
  );
}

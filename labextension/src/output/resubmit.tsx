import { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';
import { HPCApi } from '../server/api';

/** What the kernel says of submitting a failed job again: the options in words, and as the server takes them. */
export interface IAgain {
  options: string;
  resources: { [key: string]: string };
}

/** The button under a failed job's card; it needs the server, not the kernel. */
export function Again(props: {
  id: string;
  again: IAgain;
  api: HPCApi;
  trans: TranslationBundle;
  submitted: (id: string) => void;
}): React.ReactElement {
  const { id, again, api, trans } = props;
  const [isAsked, setAsked] = React.useState(false);
  const [problem, setProblem] = React.useState('');
  const submit = async () => {
    setAsked(true);
    setProblem('');
    try {
      props.submitted(await api.resubmit(id, { resources: again.resources }));
    } catch (error) {
      setAsked(false);
      setProblem(String((error as Error).message));
    }
  };
  return (
    <div className="jp-HPCOutput-head">
      <button
        className="jp-HPC-button"
        disabled={isAsked}
        onClick={() => void submit()}
      >
        {again.options
          ? trans.__('Resubmit with %1', again.options)
          : trans.__('Resubmit')}
      </button>
      <span role="status">{problem}</span>
    </div>
  );
}

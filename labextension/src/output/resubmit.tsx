import { TranslationBundle } from '@jupyterlab/translation';
import { CommandRegistry } from '@lumino/commands';
import * as React from 'react';
import { CommandIDs } from '../jobs/commandids';
import { HPCApi } from '../server/api';

/** What the kernel says of submitting a failed job again: the options in words, and as the server takes them. */
export interface IAgain {
  options: string;
  resources: { [key: string]: string };
}

/** The buttons under a failed job's card: as suggested, or as somebody says in a form; the kernel isn't needed. */
export function Resubmit(props: {
  id: string;
  again: IAgain;
  api: HPCApi;
  commands: CommandRegistry;
  trans: TranslationBundle;
  submitted: (id: string) => void;
}): React.ReactElement {
  const { id, again, api, commands, trans } = props;
  const [isAsked, setAsked] = React.useState(false);
  const [problem, setProblem] = React.useState('');
  const when = async (submit: () => Promise<string | null | undefined>) => {
    setAsked(true);
    setProblem('');
    try {
      const made = await submit();
      if (made) {
        props.submitted(made);
        return;
      }
    } catch (error) {
      setProblem((error as Error).message);
    }
    setAsked(false);
  };
  const change = () =>
    commands.execute(CommandIDs.resubmit, { id, stays: true }) as Promise<
      string | null
    >;
  const button = (
    label: string,
    submit: () => Promise<string | null | undefined>
  ) => (
    <button
      className="jp-HPC-button"
      disabled={isAsked}
      onClick={() => void when(submit)}
    >
      {label}
    </button>
  );
  return (
    <div className="jp-HPCOutput-head">
      {button(
        again.options
          ? trans.__('Resubmit with %1', again.options)
          : trans.__('Resubmit'),
        () => api.resubmit(id, { resources: again.resources })
      )}
      {button(trans.__('Other options …'), change)}
      <span role="status">{problem}</span>
    </div>
  );
}

import { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';
import { HPCApi } from '../server/api';
import { IDifference, ITableRow } from '../server/types';

/** What differs between two runs, side by side. */
export function Comparison(props: {
  api: HPCApi;
  trans: TranslationBundle;
  rows: [ITableRow, ITableRow];
  onClose: () => void;
}): React.ReactElement {
  const { api, trans, rows } = props;
  const [first, second] = rows;
  const [found, setFound] = React.useState<IDifference | null>(null);
  const [problem, setProblem] = React.useState('');
  React.useEffect(() => {
    let isWanted = true;
    setFound(null);
    setProblem('');
    api.compare(first.id, second.id).then(
      each => isWanted && setFound(each),
      error => isWanted && setProblem(String(error.message))
    );
    return () => {
      isWanted = false;
    };
  }, [first.id, second.id]);
  const isSame = found && !found.code.length && !found.parts.length;
  return (
    <section
      className="jp-HPCTable-comparison"
      aria-label={trans.__('What differs')}
      tabIndex={0}
    >
      <header>
        <h2>
          {first.name || first.id} <span aria-hidden="true">↔</span>{' '}
          {second.name || second.id}
        </h2>
        <button className="jp-HPC-button" onClick={props.onClose}>
          {trans.__('Close')}
        </button>
      </header>
      {problem && (
        <p className="jp-HPC-problem" role="alert">
          {problem}
        </p>
      )}
      {!found && !problem && <p>{trans.__('Comparing …')}</p>}
      {isSame && <p>{trans.__('They do not differ.')}</p>}
      {found && found.parts.length > 0 && (
        <table>
          <thead>
            <tr>
              <td />
              <th scope="col">{first.id}</th>
              <th scope="col">{second.id}</th>
            </tr>
          </thead>
          {found.parts.map(part => (
            <tbody key={part.part}>
              <tr>
                <th scope="rowgroup" colSpan={3}>
                  {partName(part.part, trans)}
                </th>
              </tr>
              {part.rows.map(row => (
                <tr key={row.name}>
                  <th scope="row">{row.name}</th>
                  <td>{row.first}</td>
                  <td>{row.second}</td>
                </tr>
              ))}
            </tbody>
          ))}
        </table>
      )}
      {found && found.code.length > 0 && (
        <>
          <h3>{trans.__('code')}</h3>
          <pre>
            {found.code.map((line, i) => (
              <div key={i} className={lineClass(line)}>
                {line || ' '}
              </div>
            ))}
          </pre>
        </>
      )}
    </section>
  );
}

function lineClass(line: string): string {
  return line.startsWith('+')
    ? 'jp-mod-added'
    : line.startsWith('-')
      ? 'jp-mod-removed'
      : '';
}

function partName(
  part: IDifference['parts'][number]['part'],
  trans: TranslationBundle
): string {
  const names = {
    git: trans.__('git'),
    parameters: trans.__('parameters'),
    packages: trans.__('environment'),
    inputs: trans.__('inputs'),
    outputs: trans.__('outputs'),
    resources: trans.__('resources'),
    metrics: trans.__('metrics'),
    outcome: trans.__('outcome')
  };
  return names[part];
}

import { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

const MOST = 8;

/** A list that shows its first items; where there are many, the others are a click away. */
export function Folded(props: {
  items: React.ReactElement[];
  className: string;
  label?: string;
  most?: number;
  trans: TranslationBundle;
}): React.ReactElement {
  const { items, className, label, most = MOST, trans } = props;
  // a single one takes no more room than the words that it is there
  const shown = items.length > most + 1 ? most : items.length;
  const rest = items.slice(shown);
  return (
    <>
      <ul className={className} aria-label={label}>
        {items.slice(0, shown)}
      </ul>
      {rest.length > 0 && (
        <details className="jp-HPCJob-more">
          <summary>{trans.__('%1 more', rest.length)}</summary>
          <ul className={className}>{rest}</ul>
        </details>
      )}
    </>
  );
}

import * as React from 'react';

/** A part of a page under a heading of its own. */
export function Section(props: {
  title: string;
  /** What stands at the end of the heading's line. */
  aside?: React.ReactNode;
  children: React.ReactNode;
}): React.ReactElement {
  const id = React.useId();
  return (
    <section className="jp-HPCJob-section" aria-labelledby={id}>
      <header>
        <h3 id={id}>{props.title}</h3>
        {props.aside}
      </header>
      {props.children}
    </section>
  );
}

import * as React from 'react';

export const tabId = (prefix: string, name: string): string =>
  `${prefix}-tab-${name}`;
export const pageId = (prefix: string): string => `${prefix}-page`;

/** Tabs that arrows, Home and End walk through, as WAI-ARIA has them. */
export function Tabs<T extends string>(props: {
  label: string;
  prefix: string;
  tabs: [T, string][];
  current: T;
  onChange: (name: T) => void;
}): React.ReactElement {
  const { prefix, tabs, current, onChange } = props;
  const onKeyDown = (event: React.KeyboardEvent<HTMLElement>) => {
    const at = tabs.findIndex(([name]) => name === current);
    const steps: { [key: string]: number } = {
      ArrowRight: (at + 1) % tabs.length,
      ArrowLeft: (at - 1 + tabs.length) % tabs.length,
      Home: 0,
      End: tabs.length - 1
    };
    if (event.key in steps) {
      event.preventDefault();
      const [name] = tabs[steps[event.key]];
      onChange(name);
      event.currentTarget.ownerDocument
        .getElementById(tabId(prefix, name))
        ?.focus();
    }
  };
  return (
    <div
      className="jp-HPC-tabs"
      role="tablist"
      aria-label={props.label}
      onKeyDown={onKeyDown}
    >
      {tabs.map(([name, label]) => (
        <button
          key={name}
          role="tab"
          id={tabId(prefix, name)}
          aria-selected={current === name}
          aria-controls={pageId(prefix)}
          tabIndex={current === name ? 0 : -1}
          onClick={() => onChange(name)}
        >
          <span data-label={label}>{label}</span>
        </button>
      ))}
    </div>
  );
}

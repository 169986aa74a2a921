import * as React from 'react';

/** Render again each second, so that a time goes on between two answers. */
export function useSeconds(isTicking: boolean): void {
  const [, tick] = React.useReducer((count: number) => count + 1, 0);
  React.useEffect(() => {
    if (!isTicking) {
      return;
    }
    const timer = window.setInterval(tick, 1000);
    return () => window.clearInterval(timer);
  }, [isTicking]);
}

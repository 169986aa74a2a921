import * as React from 'react';

/**
 * Ask for something now and every so often while the page is seen.
 *
 * @returns The last answer, what went wrong with the last question, and a function that asks at once.
 */
export function useAsked<T>(
  get: () => Promise<T>,
  everyMs: number,
  dependencies: React.DependencyList
): [T | null, string, () => void] {
  const [answer, setAnswer] = React.useState<T | null>(null);
  const [problem, setProblem] = React.useState('');
  const latest = React.useRef<() => void>(() => undefined);
  React.useEffect(() => {
    let isGone = false;
    const ask = async () => {
      if (document.hidden) {
        return;
      }
      try {
        const found = await get();
        if (!isGone) {
          setAnswer(found);
          setProblem('');
        }
      } catch (error) {
        if (!isGone) {
          setProblem(String((error as Error).message));
        }
      }
    };
    latest.current = () => void ask();
    void ask();
    const timer = everyMs ? window.setInterval(ask, everyMs) : 0;
    return () => {
      isGone = true;
      window.clearInterval(timer);
    };
  }, [everyMs, ...dependencies]);
  return [answer, problem, () => latest.current()];
}

import {
  IEditorLanguageRegistry,
  jupyterHighlightStyle
} from '@jupyterlab/codemirror';
import { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

/** So much is coloured at most: the rest of a very long text stays plain. */
const MOST = 200_000;

/** A piece of a line, and the class that its colour comes from. */
export type Piece = [text: string, look: string];

/** A text with numbered lines, coloured as in an editor, and the line that failed marked. */
export function Code(props: {
  text: string;
  language: string;
  languages: IEditorLanguageRegistry | null | undefined;
  trans: TranslationBundle;
  /** The number of its first line. */
  first?: number;
  failed?: number | null;
  label: string;
}): React.ReactElement {
  const { text, language, languages, trans, first = 1 } = props;
  const [lines, setLines] = React.useState<Piece[][]>(() => plain(text));
  React.useEffect(() => {
    let isGone = false;
    setLines(plain(text));
    if (languages && text.length <= MOST) {
      addColours();
      const host = document.createElement('div');
      const known = languages.findBest(language);
      void languages
        .highlight(text, known, host)
        .then(() => isGone || setLines(linesOf(host)))
        .catch(() => undefined); // it stays as it is: text
    }
    return () => {
      isGone = true;
    };
  }, [text, language, languages]);
  return (
    <pre className="jp-HPCCode" tabIndex={0} aria-label={props.label}>
      <code>
        {lines.map((pieces, i) => {
          const isFailed = first + i === props.failed;
          return (
            <span
              key={i}
              className={`jp-HPCCode-line${isFailed ? ' jp-mod-failed' : ''}`}
              data-line={first + i}
            >
              {isFailed && (
                <span className="jp-HPC-unseen">
                  {trans.__('It failed here:')}{' '}
                </span>
              )}
              {pieces.map(([piece, look], j) =>
                look ? (
                  <span key={j} className={look}>
                    {piece}
                  </span>
                ) : (
                  piece
                )
              )}
              {'\n'}
            </span>
          );
        })}
      </code>
    </pre>
  );
}

/** Give the page the colours of editors, which else come with the first of them. */
function addColours(): void {
  const id = 'jp-HPCCode-colours';
  const rules = jupyterHighlightStyle.module?.getRules();
  if (rules && !document.getElementById(id)) {
    const style = document.createElement('style');
    style.id = id;
    style.textContent = rules;
    document.head.append(style);
  }
}

function plain(text: string): Piece[][] {
  const lines = text.replace(/\n$/, '').split('\n');
  return lines.map((line): Piece[] => (line ? [[line, '']] : []));
}

/** The lines of what a highlighter left: pieces of text, some of them in elements with a class. */
export function linesOf(host: HTMLElement): Piece[][] {
  const lines: Piece[][] = [[]];
  for (const node of Array.from(host.childNodes)) {
    const look = node instanceof HTMLElement ? node.className : '';
    (node.textContent ?? '').split('\n').forEach((part, i) => {
      if (i) {
        lines.push([]);
      }
      if (part) {
        lines[lines.length - 1].push([part, look]);
      }
    });
  }
  if (lines.length > 1 && !lines[lines.length - 1].length) {
    lines.pop();
  }
  return lines;
}

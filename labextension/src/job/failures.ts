// Which lines of a log tell of an error; the same rules, on the same cases (tests/unit/recorded/screen.json), are in
// jupyter_hpc/views/failures.py.

const TASK = /^\[\d+\] /; // before each line of an array's log
const BEGIN =
  /^\s*(?<group>\+ Exception Group )?Traceback \(most recent call last\):\s*$/;
const SYNTAX = /^ {2}File "[^"]*", line \d+$/;
const LINK =
  /^(?:During handling of the above exception|The above exception was the direct cause)/;
const GROUP = /^\s+[|+]/;
const LAST = /^[\p{L}_][\p{L}\p{N}_.]*(?:: |:?$)/u;

/** What a line is of a traceback: a part of it, what went wrong, or nothing. */
export type Mark = '' | 'trace' | 'error';

/** Told lines in order, it tells which belong to a traceback, and which of those say what went wrong. */
export class Failures {
  constructor(private _within: '' | 'trace' | 'group' = '') {}

  copy(): Failures {
    return new Failures(this._within);
  }

  take(line: string): Mark {
    line = line.replace(TASK, '');
    const begin = BEGIN.exec(line);
    if (begin) {
      this._within = begin.groups?.group ? 'group' : 'trace';
      return 'trace';
    }
    if (!this._within) {
      this._within = SYNTAX.test(line) ? 'trace' : '';
      return this._within || LINK.test(line) ? 'trace' : '';
    }
    if (this._within === 'group') {
      this._within = GROUP.test(line) ? 'group' : '';
      return this._within ? 'trace' : '';
    }
    if (!line.trim() || /^\s/.test(line)) {
      return 'trace';
    }
    this._within = '';
    return LAST.test(line) ? 'error' : '';
  }
}

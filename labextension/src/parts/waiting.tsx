import { TranslationBundle } from '@jupyterlab/translation';
import { CommandRegistry } from '@lumino/commands';
import * as React from 'react';
import { CommandIDs } from '../jobs/commandids';
import { clock, day, duration, isLive } from '../jobs/format';
import { HPCApi } from '../server/api';
import { IJobDetail, IOwnJob, ISuggestion, IWaiting } from '../server/types';

const NOW_S = 60;
/** The scheduler wasn't asked yet. */
const NOTHING: IWaiting = {
  asked_at: null,
  reason: '',
  place: null,
  ahead: null,
  of: null,
  expected_start: null,
  suggestions: [],
  hint: ''
};

/** Why a job waits, and what would start now: a click submits that in its place. */
export function WaitingBlock(props: {
  job: IOwnJob;
  api: HPCApi;
  trans: TranslationBundle;
  commands: CommandRegistry;
  /** Told of the job that took its place. */
  replaced: (id: string) => void;
}): React.ReactElement | null {
  const { job, api, trans, commands } = props;
  const [asked, setAsked] = React.useState('');
  const [problem, setProblem] = React.useState('');
  if (job.state !== 'PENDING') {
    return null;
  }
  const waiting = job.waiting ?? NOTHING;
  const submit = async (options: string) => {
    setAsked(options);
    setProblem('');
    try {
      props.replaced(await api.resubmit(job.id, { options, instead: true }));
    } catch (error) {
      setAsked('');
      setProblem((error as Error).message);
    }
  };
  const change = async () => {
    const args = { id: job.id, stays: true };
    const made: unknown = await commands.execute(CommandIDs.resubmit, args);
    if (typeof made === 'string') {
      props.replaced(made);
    }
  };
  const other = (
    <button
      className="jp-HPC-button"
      disabled={asked !== ''}
      onClick={() => void change()}
    >
      {trans.__('Other options …')}
    </button>
  );
  const chips = (
    title: string,
    look: string,
    some: ISuggestion[],
    isLast: boolean
  ) =>
    some.length > 0 && (
      <div className="jp-HPCWaiting-chips" role="group" aria-label={title}>
        <span aria-hidden="true">{title}</span>
        {some.map(each => (
          <button
            key={each.options}
            className={`jp-HPCWaiting-chip jp-mod-${look}`}
            disabled={asked !== ''}
            title={trans.__(
              'Submit the cell with %1, in place of this job',
              each.options
            )}
            onClick={() => void submit(each.options)}
          >
            <code>{each.options}</code> {why(each, trans)}
          </button>
        ))}
        {isLast && other}
      </div>
    );
  const are = (confirmed: boolean) =>
    waiting.suggestions.filter(each => each.confirmed === confirmed);
  const facts = [place(waiting, trans), start(waiting.expected_start, trans)];
  // the reason stands above it, where the job's own is shown
  const reason = job.reason.startsWith(waiting.reason) ? '' : waiting.reason;
  return (
    <section className="jp-HPCWaiting" aria-label={trans.__('Why it waits')}>
      {facts.some(each => each) && (
        <p className="jp-HPCWaiting-facts">
          {facts
            .filter(each => each)
            .map(each => (
              <span key={each}>{each}</span>
            ))}
        </p>
      )}
      {reason && <p>{reason}</p>}
      {waiting.hint && <p className="jp-HPCWaiting-hint">{waiting.hint}</p>}
      {chips(trans.__('Would start now'), 'now', are(true), !are(false).length)}
      {chips(trans.__('May help'), 'maybe', are(false), true)}
      {!waiting.suggestions.length && other}
      <p role="status" className="jp-HPCWaiting-said">
        {asked && trans.__('Submitting it with %1 …', asked)}
        {problem}
      </p>
    </section>
  );
}

function why(suggestion: ISuggestion, trans: TranslationBundle): string {
  const begins = start(suggestion.expected_start, trans);
  return [suggestion.why, begins].filter(each => each).join('; ');
}

/** `3rd of 12 in the queue`. */
function place(waiting: IWaiting, trans: TranslationBundle): string {
  if (waiting.place === null) {
    return '';
  }
  const nth = ordinal(waiting.place);
  return waiting.of === null
    ? trans.__('%1 in the queue', nth)
    : trans.__('%1 of %2 in the queue', nth, waiting.of);
}

/** Why a job waits or ended as it did; when it may start is told below that. */
export function reasonOf(job: IJobDetail): string {
  const told = !job.foreign && isLive(job) ? (job.waiting?.reason ?? '') : '';
  return told && job.reason.startsWith(told) ? told : job.reason;
}

export function ordinal(n: number): string {
  const ends: { [rule: string]: string } = { one: 'st', two: 'nd', few: 'rd' };
  const rule = new Intl.PluralRules('en', { type: 'ordinal' }).select(n);
  return `${n}${ends[rule] ?? 'th'}`;
}

/** `starts in about 20 min (14:30)`, on another day `(Sun 29 Nov 14:30)`: the scheduler's estimate. */
export function start(
  at: number | null,
  trans: TranslationBundle,
  now = Date.now() / 1000
): string {
  if (at === null) {
    return '';
  }
  const left = at - now;
  if (left < NOW_S) {
    return trans.__('starts any moment');
  }
  const then = new Date(at * 1000);
  const isToday = then.toDateString() === new Date(now * 1000).toDateString();
  const moment = isToday
    ? clock(then)
    : `${day(then, 'weekday', 'date')} ${clock(then)}`;
  const about = duration(Math.floor(left / 60) * 60);
  return trans.__('starts in about %1 (%2)', about, moment);
}

import { TranslationBundle } from '@jupyterlab/translation';
import { ISignal, Signal } from '@lumino/signaling';
import * as React from 'react';
import { HPCApi, HPCError } from '../server/api';
import { IFormField, IResubmission, IResubmissionForm } from '../server/types';

type Texts = { [name: string]: string };

/** What somebody fills in to submit a job again: nothing that was typed is lost, whatever the server says to it. */
export class FormModel {
  constructor(
    private _api: HPCApi,
    readonly id: string,
    private _form: IResubmissionForm,
    /** Whether the new job takes the place of one that waits. */
    readonly instead: boolean
  ) {}

  /** The form of a job, and whether that waits. */
  static async of(api: HPCApi, id: string): Promise<FormModel> {
    const [form, job] = await Promise.all([api.form(id), api.job(id)]);
    const waits = job.state === 'PENDING' && job.native_id !== '';
    return new FormModel(api, id, form, waits);
  }

  get form(): IResubmissionForm {
    return this._form;
  }

  /** Why it could not be submitted; a sentence or nothing. */
  get problem(): string {
    return this._problem;
  }

  get isBusy(): boolean {
    return this._isBusy;
  }

  get line(): string {
    return this._line;
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  value(field: IFormField): string {
    return this._typed[field.name] ?? field.value;
  }

  set(name: string, value: string): void {
    this._typed[name] = value;
    this._tell();
  }

  setLine(value: string): void {
    this._line = value;
    this._tell();
  }

  /** Another target has other fields; what was typed stays for those that both have. */
  async setTarget(name: string): Promise<void> {
    await this._while(async () => {
      this._form = await this._api.form(this.id, name);
    });
  }

  /** The new job; null if it could not be submitted, and `problem` says why. */
  async submit(): Promise<string | null> {
    let made: string | null = null;
    await this._while(async () => {
      made = await this._api.resubmit(this.id, this.asked());
    });
    return made;
  }

  /** What was changed, by somebody or by the suggestion. */
  asked(): IResubmission {
    const { fields, target } = this._form;
    const said = (ofResources: boolean): Texts =>
      Object.fromEntries(
        fields
          .filter(each => each.is_resource === ofResources)
          .map(each => [each, this.value(each).trim()] as const)
          .filter(([each, value]) => value !== each.was || isSuggested(each))
          .map(([each, value]) => [each.name, value])
      );
    return {
      resources: said(true),
      spec: said(false),
      options: this._line,
      target,
      instead: this.instead
    };
  }

  private async _while(act: () => Promise<void>): Promise<void> {
    this._isBusy = true;
    this._problem = '';
    this._tell();
    try {
      await act();
    } catch (error) {
      const hint = error instanceof HPCError ? error.hint : '';
      this._problem = [(error as Error).message, hint].join(' ').trim();
    }
    this._isBusy = false;
    this._tell();
  }

  private _tell(): void {
    this._changed.emit();
  }

  private _typed: Texts = {};
  private _line = '';
  private _problem = '';
  private _isBusy = false;
  private _changed = new Signal<this, void>(this);
}

function isSuggested(field: IFormField): boolean {
  return field.value !== field.was;
}

/** The form: a label, a field and how its value is written, each. */
export function ResubmitForm(props: {
  model: FormModel;
  trans: TranslationBundle;
}): React.ReactElement {
  const { model, trans } = props;
  const [, render] = React.useReducer((n: number) => n + 1, 0);
  const prefix = React.useId();
  React.useEffect(() => {
    model.changed.connect(render);
    return () => {
      model.changed.disconnect(render);
    };
  }, [model]);
  const { target, targets, fields, others } = model.form;
  const row = (
    name: string,
    label: string,
    hint: string,
    input: (ids: { id: string; 'aria-describedby': string }) => JSX.Element
  ) => (
    <React.Fragment key={name}>
      <label htmlFor={`${prefix}-${name}`}>{label}</label>
      {input({
        id: `${prefix}-${name}`,
        'aria-describedby': `${prefix}-${name}-hint`
      })}
      <small id={`${prefix}-${name}-hint`}>{hint}</small>
    </React.Fragment>
  );
  return (
    <div className="jp-HPCForm" aria-busy={model.isBusy}>
      {model.instead && (
        <p>
          {trans.__(
            'This job waits: it leaves the queue once the new one is accepted.'
          )}
        </p>
      )}
      {row('target', trans.__('Target'), '', ids => (
        <select
          {...ids}
          value={target}
          onChange={event => void model.setTarget(event.target.value)}
        >
          {targets.map(each => (
            <option key={each}>{each}</option>
          ))}
        </select>
      ))}
      {fields.map(each =>
        row(each.name, each.label, hintOf(each, trans), ids => (
          <>
            <input
              {...ids}
              className={`jp-mod-styled${isSuggested(each) ? ' jp-mod-suggested' : ''}`}
              type="text"
              spellCheck={false}
              autoComplete="off"
              list={
                each.choices.length ? `${prefix}-${each.name}-list` : undefined
              }
              value={model.value(each)}
              placeholder={trans.__('as the target has it')}
              onChange={event => model.set(each.name, event.target.value)}
            />
            {each.choices.length > 0 && (
              <datalist id={`${prefix}-${each.name}-list`}>
                {each.choices.map(choice => (
                  <option key={choice} value={choice} />
                ))}
              </datalist>
            )}
          </>
        ))
      )}
      {others.length > 0 &&
        row('others', trans.__('Other options'), others.join(' '), ids => (
          <input
            {...ids}
            className="jp-mod-styled"
            type="text"
            spellCheck={false}
            autoComplete="off"
            value={model.line}
            onChange={event => model.setLine(event.target.value)}
          />
        ))}
      <p role="alert" className="jp-HPC-problem">
        {model.problem}
      </p>
    </div>
  );
}

function hintOf(field: IFormField, trans: TranslationBundle): string {
  return isSuggested(field) && field.was
    ? trans.__('suggested; it was %1', field.was)
    : field.hint;
}

import { Dialog, ReactWidget } from '@jupyterlab/apputils';
import { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';
import { FormModel, ResubmitForm } from '../parts/form';
import { HPCApi } from '../server/api';

const ACCEPT = 1;

/** Let somebody say what a job is submitted again with; the new job's id, or null if they thought better of it. */
export async function askResubmission(
  api: HPCApi,
  id: string,
  trans: TranslationBundle
): Promise<string | null> {
  const [model, job] = await Promise.all([FormModel.of(api, id), api.job(id)]);
  const dialog = new ResubmitDialog(model, trans, job.name || id);
  await dialog.launch();
  return dialog.made;
}

/** Stays open, with all that was typed, until the server has accepted it. */
export class ResubmitDialog extends Dialog<void> {
  constructor(
    private _model: FormModel,
    trans: TranslationBundle,
    name: string
  ) {
    super({
      title: _model.instead
        ? trans.__('Submit another in place of %1', name)
        : trans.__('Resubmit %1', name),
      body: ReactWidget.create(<ResubmitForm model={_model} trans={trans} />),
      buttons: [
        Dialog.cancelButton(),
        Dialog.okButton({ label: trans.__('Submit') })
      ],
      defaultButton: ACCEPT,
      focusNodeSelector: 'input'
    });
  }

  /** The job that was submitted. */
  made: string | null = null;

  resolve(index?: number): void {
    if ((index ?? ACCEPT) !== ACCEPT) {
      super.resolve(index);
    } else if (!this._model.isBusy) {
      void this._submit();
    }
  }

  private async _submit(): Promise<void> {
    this.made = await this._model.submit();
    if (this.made !== null) {
      super.resolve(ACCEPT);
    }
  }
}

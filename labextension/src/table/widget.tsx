import { MainAreaWidget, ReactWidget } from '@jupyterlab/apputils';
import { TranslationBundle } from '@jupyterlab/translation';
import { CommandRegistry } from '@lumino/commands';
import { Message } from '@lumino/messaging';
import * as React from 'react';
import { hpcIcon } from '../jobs/icons';
import { IHPCJobs } from '../jobs/tokens';
import { TableModel } from './model';
import { IChosenColumns, Table } from './table';

export const TABLE_ID = 'jupyter-hpc-table';

/** The table of jobs in the main area; hidden it asks for nothing. */
export class TableWidget extends MainAreaWidget<ReactWidget> {
  constructor(
    jobs: IHPCJobs,
    commands: CommandRegistry,
    trans: TranslationBundle,
    columns: IChosenColumns
  ) {
    const model = new TableModel(jobs.api, jobs);
    const shown = <Table {...{ model, commands, trans, columns }} />;
    super({ content: ReactWidget.create(shown) });
    this._model = model;
    this.content.addClass('jp-HPCTable');
    this.toolbar.hide(); // its buttons stand in the page
    this.id = TABLE_ID;
    this.title.label = trans.__('Cluster Jobs');
    this.title.caption = trans.__('All jobs as a table');
    this.title.icon = hpcIcon;
    this.title.closable = true;
  }

  dispose(): void {
    this._model.dispose();
    super.dispose();
  }

  protected onAfterShow(msg: Message): void {
    super.onAfterShow(msg);
    this._model.watch(true);
    void this._model.refresh();
  }

  protected onAfterHide(msg: Message): void {
    super.onAfterHide(msg);
    this._model.watch(false);
  }

  private _model: TableModel;
}

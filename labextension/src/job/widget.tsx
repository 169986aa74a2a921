import {
  MainAreaWidget,
  ReactWidget,
  WidgetTracker
} from '@jupyterlab/apputils';
import { Widget } from '@lumino/widgets';
import * as React from 'react';
import { hpcIcon } from '../jobs/icons';
import { IJobTabs } from './jobtabs';
import { JobView } from './jobview';
import { IJobProps } from './usejob';

const ID = 'jupyter-hpc-';

export type JobTracker = WidgetTracker<MainAreaWidget<ReactWidget>>;

/** The id of the job that a view shows. */
export function idOfView(widget: Widget): string {
  return widget.id.slice(ID.length);
}

/** A job in the main area. */
export function createJobWidget(
  props: IJobProps & { tabs: IJobTabs }
): MainAreaWidget<ReactWidget> {
  const named = (name: string) => {
    widget.title.label = name;
  };
  const content = ReactWidget.create(<JobView {...props} named={named} />);
  content.addClass('jp-HPCJob');
  const widget = new MainAreaWidget({ content });
  widget.id = `${ID}${props.id}`;
  widget.title.label = props.id.slice(-6);
  widget.title.caption = props.id;
  widget.title.icon = hpcIcon;
  widget.title.closable = true;
  return widget;
}

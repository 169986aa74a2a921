import { UseSignal } from '@jupyterlab/ui-components';
import * as React from 'react';
import { isLive } from '../jobs/format';
import { pageId, tabId, Tabs } from '../parts/tabs';
import { Head } from './head';
import { IJobTab, IJobTabProps, IJobTabs } from './jobtabs';
import { IJobProps, useJob } from './usejob';

export interface IJobViewProps extends IJobProps {
  tabs: IJobTabs;
  /** Hears the job's name when it is known. */
  named: (name: string) => void;
  memory?: IPageMemory;
}

/** What a page still knows when it is put elsewhere in the window. */
export interface IPageMemory {
  /** The tab that was chosen. */
  tab: string;
}

/** A job: its head, and the tabs that whoever has something to show of it has added. */
export function JobView(props: IJobViewProps): React.ReactElement {
  const { api, model, id, tabs, trans } = props;
  const [job, problem] = useJob(api, model, id);
  const name = job?.name;
  React.useEffect(() => {
    if (name) {
      props.named(name);
    }
  }, [name]);
  if (!job) {
    return (
      <div className="jp-HPC-empty" role="status">
        <p>{problem || trans.__('Asking for the job …')}</p>
      </div>
    );
  }
  return (
    <>
      <Head {...props} job={job} problem={problem} />
      <UseSignal signal={tabs.changed} initialSender={tabs}>
        {() => <Tabbed {...props} job={job} all={tabs.all} />}
      </UseSignal>
    </>
  );
}

function Tabbed(
  props: IJobTabProps & {
    all: readonly IJobTab[];
    memory?: IPageMemory;
  }
): React.ReactElement | null {
  const { all, id, trans, memory } = props;
  const [chosen, choose] = React.useState(memory?.tab ?? '');
  const [visited, visit] = React.useState<readonly string[]>([]);
  const tabs = useTabs(all, props);
  const tab = tabs.find(each => each.name === chosen) ?? tabs[0];
  const current = tab?.name ?? '';
  React.useEffect(
    () => visit(old => [...new Set([...old, current])]),
    [current]
  );
  if (!tab) {
    return null;
  }
  const show = (name: string) => {
    choose(name);
    if (memory) {
      memory.tab = name;
    }
  };
  return (
    <>
      <Tabs
        label={trans.__('Job')}
        prefix={`jp-hpc-${id}`}
        tabs={tabs.map(each => [each.name, each.label])}
        current={tab.name}
        onChange={show}
      />
      <div
        className="jp-HPCJob-page"
        role="tabpanel"
        id={pageId(`jp-hpc-${id}`)}
        aria-labelledby={tabId(`jp-hpc-${id}`, tab.name)}
      >
        {tabs
          .filter(each => each === tab || visited.includes(each.name))
          .map(each => (
            // one that was left stays as it was: how far it was scrolled, what was searched
            <div
              className="jp-HPCJob-tab"
              key={each.name}
              hidden={each !== tab}
            >
              <Page
                {...props}
                choose={show}
                isShown={each === tab}
                tab={each}
              />
            </div>
          ))}
      </div>
    </>
  );
}

/** A component of its own for each tab, so that a tab may use hooks. */
function Page(props: IJobTabProps & { tab: IJobTab }): React.ReactElement {
  return props.tab.render(props);
}

/** The tabs that a job has; one that must ask for it comes with the answer. */
function useTabs(all: readonly IJobTab[], props: IJobTabProps): IJobTab[] {
  const { api, id, job } = props;
  const [has, setHas] = React.useState(new Map<IJobTab, boolean>());
  const fit = all.filter(tab => tab.isFor?.(job) ?? true);
  React.useEffect(() => {
    let isGone = false;
    for (const tab of fit) {
      tab.has?.(props).then(
        answer => isGone || setHas(old => new Map(old).set(tab, answer)),
        () => undefined // as if it weren't there
      );
    }
    return () => {
      isGone = true;
    };
  }, [api, id, isLive(job), all]);
  return fit.filter(tab => !tab.has || has.get(tab));
}

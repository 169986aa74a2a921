import { nullTranslator } from '@jupyterlab/translation';
import { CommandRegistry } from '@lumino/commands';
import * as React from 'react';
import { act } from 'react';
import { createRoot, Root } from 'react-dom/client';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FormModel, ResubmitForm } from '../src/parts/form';
import { ordinal, start, WaitingBlock } from '../src/parts/waiting';
import { HPCApi, HPCError } from '../src/server/api';
import {
  IOwnJob,
  IResubmission,
  IResubmissionForm,
  IWaiting
} from '../src/server/types';
import { ResubmitDialog } from '../src/shell/resubmit';
import { whole } from './jobs';

const trans = nullTranslator.load('jupyter_hpc');
const WAITING: IWaiting = {
  asked_at: 1,
  reason: 'the nodes are busy',
  place: 3,
  ahead: 2,
  of: 12,
  expected_start: Date.now() / 1000 + 20 * 60 + 5,
  suggestions: [
    {
      options: '--gpus 1',
      why: 'one is free',
      confirmed: true,
      expected_start: null
    },
    {
      options: '--time 1h',
      why: 'it fits before the next',
      confirmed: false,
      expected_start: null
    }
  ],
  hint: '<b>Ask</b> for less.'
};
const FORM: IResubmissionForm = {
  target: 'slurm',
  targets: ['slurm', 'k8s'],
  fields: [
    ['gpus', 'GPUs', '2', '2', true],
    ['memory', 'Memory', '1G', '300M', true],
    ['partition', 'Partition', 'gpu', 'gpu', false]
  ].map(([name, label, value, was, is_resource]) => ({
    name: name as string,
    flag: `--${name}`,
    label: label as string,
    hint: 'how it is written',
    value: value as string,
    was: was as string,
    is_resource: is_resource as boolean,
    choices: name === 'partition' ? ['gpu', 'debug'] : []
  })),
  others: ['--qos']
};

/** A server that keeps what it was asked. */
class Api {
  asked: [string, IResubmission][] = [];
  problem: Error | null = null;

  async resubmit(id: string, body: IResubmission): Promise<string> {
    this.asked.push([id, body]);
    if (this.problem) {
      throw this.problem;
    }
    return 'new';
  }

  async form(_: string, target = ''): Promise<IResubmissionForm> {
    const fields = FORM.fields.filter(
      each => target !== 'k8s' || each.is_resource
    );
    return { ...FORM, target: target || 'slurm', fields };
  }

  async job(id: string): Promise<IOwnJob> {
    return whole(id, 'PENDING');
  }
}

let host: HTMLElement;
let root: Root;
let api: Api;

beforeEach(() => {
  (globalThis as any).IS_REACT_ACT_ENVIRONMENT = true;
  host = document.body.appendChild(document.createElement('div'));
  root = createRoot(host);
  api = new Api();
});

afterEach(() => {
  act(() => root.unmount());
  host.remove();
});

const named = (words: string): HTMLElement => {
  const text = (each: HTMLElement) =>
    each instanceof HTMLButtonElement
      ? each.textContent
      : document.querySelector(`label[for="${each.id}"]`)?.textContent;
  const all = document.querySelectorAll<HTMLElement>('button, input, select');
  const found = [...all].find(each => text(each)?.includes(words));
  expect(found, words).toBeDefined();
  return found!;
};

const click = (words: string): Promise<void> =>
  act(async () => named(words).click());

describe('why a job waits', () => {
  const show = (job: IOwnJob, replaced: (id: string) => void = () => {}) =>
    act(() =>
      root.render(
        <WaitingBlock
          job={job}
          api={api as unknown as HPCApi}
          trans={trans}
          commands={new CommandRegistry()}
          replaced={replaced}
        />
      )
    );
  const waiting = (): IOwnJob => ({
    ...whole('old', 'PENDING'),
    waiting: WAITING
  });

  it('has its place, when it starts, and the reason in words', () => {
    show(waiting());
    expect(host.textContent).toContain('3rd of 12 in the queue');
    expect(host.textContent).toContain('starts in about 20 min (');
    expect(host.textContent).toContain('the nodes are busy');
    expect(host.textContent).toContain('<b>Ask</b> for less.');
    expect(host.querySelector('b')).toBeNull();
  });

  it('says a reason once that stands above it', () => {
    const reason = 'the nodes are busy; expected start in 20 min';
    show({ ...waiting(), reason });
    expect(host.textContent).not.toContain('busy');
  });

  it('submits on one click, in its place', async () => {
    const made: string[] = [];
    show(waiting(), id => made.push(id));
    expect(
      host.querySelector('[aria-label="Would start now"]')?.textContent
    ).toContain('--gpus 1 one is free');
    await click('--gpus 1');
    expect(api.asked).toEqual([
      ['old', { options: '--gpus 1', instead: true }]
    ]);
    expect(made).toEqual(['new']);
  });

  it('says what went wrong, and can be clicked again', async () => {
    api.problem = new HPCError(409, 'It started meanwhile.', '', '');
    show(waiting());
    await click('--gpus 1');
    expect(host.querySelector('[role="status"]')?.textContent).toBe(
      'It started meanwhile.'
    );
    expect((named('--gpus 1') as HTMLButtonElement).disabled).toBe(false);
  });

  it('is nothing once the job runs', () => {
    show({ ...waiting(), state: 'RUNNING' });
    expect(host.textContent).toBe('');
  });

  it('counts as people do', () => {
    expect([1, 2, 3, 4, 11, 12, 13, 21, 112].map(ordinal).join()).toBe(
      '1st,2nd,3rd,4th,11th,12th,13th,21st,112th'
    );
    expect(start(1000, trans, 990)).toBe('starts any moment');
    const at = (...date: [number, number, number, number]) =>
      new Date(2026, 10, ...date).getTime() / 1000;
    const said = (then: number) => start(then, trans, at(12, 18, 0, 0));
    expect(said(at(12, 19, 5, 0))).toBe('starts in about 1 h 5 min (19:05)');
    expect(said(at(13, 7, 0, 0))).toBe(
      'starts in about 13 h (Fri 13 Nov 07:00)'
    );
    expect(start(null, trans)).toBe('');
  });
});

describe('the form', () => {
  const type = async (label: string, value: string) => {
    const field = named(label) as HTMLInputElement;
    const kind =
      field instanceof HTMLSelectElement ? HTMLSelectElement : HTMLInputElement;
    await act(async () => {
      Object.getOwnPropertyDescriptor(kind.prototype, 'value')!.set!.call(
        field,
        value
      );
      const event = field instanceof HTMLSelectElement ? 'change' : 'input';
      field.dispatchEvent(new Event(event, { bubbles: true }));
    });
  };
  const model = () => FormModel.of(api as unknown as HPCApi, 'old');

  it('is filled with what helps, and asks for that and what was changed', async () => {
    const form = await model();
    act(() => root.render(<ResubmitForm model={form} trans={trans} />));
    expect((named('Memory') as HTMLInputElement).value).toBe('1G');
    expect(host.textContent).toContain('suggested; it was 300M');
    await type('GPUs', '1');
    await type('Partition', '');
    await type('Other options', '--qos high');
    expect(form.asked()).toEqual({
      resources: { gpus: '1', memory: '1G' },
      spec: { partition: '' },
      options: '--qos high',
      target: 'slurm',
      instead: true
    });
  });

  it('has a label for each field, and says how it is written', async () => {
    const form = await model();
    act(() => root.render(<ResubmitForm model={form} trans={trans} />));
    for (const input of host.querySelectorAll('input, select')) {
      expect(host.querySelector(`label[for="${input.id}"]`)).not.toBeNull();
      const hint = input.getAttribute('aria-describedby')!;
      expect(document.getElementById(hint)).not.toBeNull();
    }
    expect(host.querySelectorAll('datalist option').length).toBe(2);
  });

  it('keeps what was typed where another target is chosen', async () => {
    const form = await model();
    act(() => root.render(<ResubmitForm model={form} trans={trans} />));
    await type('GPUs', '4');
    await type('Target', 'k8s');
    expect((named('GPUs') as HTMLInputElement).value).toBe('4');
    expect(host.textContent).not.toContain('Partition');
    expect(form.asked().target).toBe('k8s');
  });

  it('stays open with all of it when the server says no', async () => {
    const form = await model();
    const dialog = new ResubmitDialog(form, trans, 'train');
    const closed = dialog.launch();
    await act(async () => dialog.ready);
    await type('Memory', '900T');
    api.problem = new HPCError(400, 'No node has that.', 'Ask for 64G.', '');
    await click('Submit');
    const said = document.querySelector('[role="alert"]');
    expect(said?.textContent).toBe('No node has that. Ask for 64G.');
    expect((named('Memory') as HTMLInputElement).value).toBe('900T');
    expect(dialog.made).toBeNull();
    api.problem = null;
    await type('Memory', '64G');
    await click('Submit');
    await closed;
    expect(dialog.made).toBe('new');
    expect(api.asked[1][1].resources).toEqual({ memory: '64G' });
  });

  it('submits nothing when somebody thinks better of it', async () => {
    const form = await model();
    const dialog = new ResubmitDialog(form, trans, 'train');
    const closed = dialog.launch();
    await act(async () => dialog.ready);
    await click('Cancel');
    await closed;
    expect(api.asked).toEqual([]);
    expect(dialog.made).toBeNull();
  });
});

import { nullTranslator } from '@jupyterlab/translation';
import { CommandRegistry } from '@lumino/commands';
import * as React from 'react';
import { renderToStaticMarkup } from 'react-dom/server';
import { expect, it } from 'vitest';
import { Values } from '../src/job/values';
import { Sent } from '../src/output/head';
import { whole } from './jobs';

type Props = React.ComponentProps<typeof Values>;

const trans = nullTranslator.load('jupyter_hpc');

it('types are called what people call them', () => {
  const value = { nbytes: 9, digest: null, origin: null };
  const job = {
    ...whole('a'),
    inputs: [{ ...value, name: 'np', type: 'builtins.module' }],
    outputs: [{ ...value, name: 'd', type: 'builtins.dict' }]
  };
  const commands = new CommandRegistry();
  const props = { job, trans, commands, api: {} } as unknown as Props;
  for (const shown of [<Values {...props} />, <Sent {...props} />]) {
    const html = renderToStaticMarkup(shown);
    expect(html).toContain('module');
    expect(html).not.toContain('builtins');
  }
});

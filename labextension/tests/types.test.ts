// @vitest-environment node
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { MADE, types } from '../types.mjs';

it('the types are those of the description: else `jlpm types`', async () => {
  expect(readFileSync(MADE, 'utf8')).toBe(await types());
}, 60000);

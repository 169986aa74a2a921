/* Makes src/server/types.ts from the description of the routes: jlpm types */
import { writeFile } from 'node:fs/promises';
import openapiTS, { astToString } from 'openapi-typescript';
import * as prettier from 'prettier';

const ROUTES = new URL('../jupyter_hpc/server/openapi.yaml', import.meta.url);
const HEAD =
  '// Made by `jlpm types` from openapi.yaml and schemas.yaml of jupyter_hpc/server: change those.\n';

export const MADE = new URL('src/server/types.ts', import.meta.url).pathname;

/** What src/server/types.ts should hold. */
export async function types() {
  const tree = await openapiTS(ROUTES, {
    rootTypes: true,
    rootTypesNoSchemaPrefix: true,
    silent: true
  });
  const text = astToString(tree)
    // each schema has a name of its own, in this package's manner; nobody needs one for a parameter
    .replace(/^export type (?=\w+ = components\[.schemas)/gm, '$&I')
    .replace(
      /^export type \w+ = components\[.(responses|parameters).*\n/gm,
      ''
    );
  const options = await prettier.resolveConfig(MADE);
  return prettier.format(HEAD + text, { ...options, filepath: MADE });
}

if (process.argv[1] === new URL(import.meta.url).pathname) {
  await writeFile(MADE, await types());
}

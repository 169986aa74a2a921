// @vitest-environment node
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { expect, it } from 'vitest';

/** Each folder uses only itself and those before it; `index.ts` may use all. */
const FOLDERS = [
  'server',
  'jobs',
  'parts',
  'job',
  'output',
  'sidebar',
  'table',
  'shell',
  '.'
];
const SOURCES = join(import.meta.dirname, '..', 'src');
const IMPORT = /\b(?:from|import)[\s(]+'(\.[^']*)'/g;

const files = readdirSync(SOURCES, { recursive: true, encoding: 'utf8' })
  .filter(name => /\.tsx?$/.test(name) && !name.endsWith('.d.ts'))
  .map(name => name.split(sep).join('/'));
const imports = new Map(
  files.map(file => {
    const text = readFileSync(join(SOURCES, file), 'utf8');
    const found = [...text.matchAll(IMPORT)]
      .map(([, path]) => relative('', join(dirname(file), path)))
      .map(path => files.find(each => each.replace(/\.tsx?$/, '') === path));
    return [file, found.filter(each => each !== undefined)];
  })
);

it('each folder uses only what is below it', () => {
  const floor = (file: string) => FOLDERS.indexOf(dirname(file));
  expect(files.filter(file => floor(file) < 0)).toEqual([]);
  const upward = [...imports].flatMap(([file, used]) =>
    used
      .filter(each => floor(each) > floor(file))
      .map(each => `${file} uses ${each}`)
  );
  expect(upward).toEqual([]);
  expect([...imports.values()].flat().length).toBeGreaterThan(files.length);
});

it('no file uses itself by way of others', () => {
  const circles: string[] = [];
  const done = new Set<string>();
  const walk = (file: string, way: string[]) => {
    if (way.includes(file)) {
      circles.push([...way.slice(way.indexOf(file)), file].join(' → '));
      return;
    }
    if (!done.has(file)) {
      imports.get(file)?.forEach(each => walk(each, [...way, file]));
      done.add(file);
    }
  };
  files.forEach(file => walk(file, []));
  expect(circles).toEqual([]);
});

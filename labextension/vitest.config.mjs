import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['tests/**/*.test.{ts,tsx}'],
    environment: 'jsdom',
    setupFiles: 'tests/setup.ts',
    isolate: false, // to read JupyterLab's packages anew for each file takes three times as long
    maxWorkers: 1,
    testTimeout: 60_000, // when nothing will come any more, not how long it may take
    // JupyterLab's packages are written for a bundler: Node can't import them as they are
    server: { deps: { inline: [/@jupyterlab\//, /@lumino\//, /@jupyter\//] } }
  }
});

import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['tests/**/*.test.{ts,tsx}'],
    environment: 'jsdom',
    setupFiles: 'tests/setup.ts',
    testTimeout: 60_000, // when nothing will come any more, not how long it may take
    // JupyterLab's packages are written for a bundler: Node can't import them as they are
    server: { deps: { inline: [/@jupyterlab\//, /@lumino\//, /@jupyter\//] } }
  }
});

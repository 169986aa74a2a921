import * as React from 'react';
import { act } from 'react';
import { createRoot, Root } from 'react-dom/client';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { IWindow, ROW_PX, useWindow } from '../src/parts/scrolling';

let host: HTMLElement;
let root: Root;
let resized: () => void;
let isWatched = false;
const drawn: IWindow[] = [];

function Box(props: { total: number }): React.ReactElement {
  const box = React.useRef<HTMLDivElement>(null);
  drawn.push(useWindow(box, props.total));
  return <div ref={box} />;
}

beforeEach(async () => {
  (globalThis as any).IS_REACT_ACT_ENVIRONMENT = true;
  vi.stubGlobal(
    'ResizeObserver',
    class {
      constructor(changed: () => void) {
        resized = changed;
      }
      observe() {
        isWatched = true;
      }
      disconnect() {
        isWatched = false;
      }
    }
  );
  drawn.length = 0;
  host = document.body.appendChild(document.createElement('div'));
  root = createRoot(host);
  await act(async () => root.render(<Box total={10000} />));
});

afterEach(async () => {
  await act(async () => root.unmount());
  vi.unstubAllGlobals();
});

async function scrolledTo(top: number): Promise<void> {
  const box = host.firstElementChild as HTMLElement;
  await act(async () => {
    box.scrollTop = top;
    box.dispatchEvent(new Event('scroll'));
  });
}

const now = () => drawn[drawn.length - 1];

describe('what of a long list a box shows', () => {
  it('begins at the top', () => {
    expect(now()).toEqual({ first: 0, last: 18, seen: 0, height: 600 });
  });

  it('moves with the box', async () => {
    await scrolledTo(100 * ROW_PX);
    expect(now()).toEqual({ first: 92, last: 118, seen: 100, height: 600 });
    await scrolledTo(100.5 * ROW_PX);
    expect(now()).toMatchObject({ first: 93, seen: 101 });
  });

  it('is drawn anew only when other rows are seen', async () => {
    await scrolledTo(100 * ROW_PX);
    const before = drawn.length;
    await scrolledTo(100 * ROW_PX - 1);
    await scrolledTo(100 * ROW_PX - 20);
    await scrolledTo(99 * ROW_PX + 1);
    // React looks once after a change whether the same state is really the same
    expect(drawn.length).toBeLessThanOrEqual(before + 1);
    await scrolledTo(99 * ROW_PX);
    expect(now().seen).toBe(99);
  });

  it('holds more where the box grows, and nothing is watched when it is gone', async () => {
    const box = host.firstElementChild as HTMLElement;
    Object.defineProperty(box, 'clientHeight', { value: 1200 });
    await act(async () => resized());
    expect(now()).toEqual({ first: 0, last: 28, seen: 0, height: 1200 });
    expect(isWatched).toBe(true);
    await act(async () => root.render(<p />));
    expect(isWatched).toBe(false);
    const before = drawn.length;
    box.dispatchEvent(new Event('scroll'));
    expect(drawn.length).toBe(before);
  });
});

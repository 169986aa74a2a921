// what JupyterLab's packages look for when they are loaded, and jsdom doesn't have
if (typeof window !== 'undefined') {
  globalThis.DragEvent ??= class extends MouseEvent {} as typeof DragEvent;
  globalThis.ResizeObserver ??= class {
    observe() {}
    unobserve() {}
    disconnect() {}
  } as typeof ResizeObserver;
  Element.prototype.scrollTo ??= () => undefined;
  window.requestIdleCallback ??= callback =>
    window.setTimeout(() =>
      callback({ didTimeout: false, timeRemaining: () => 0 })
    );
  window.matchMedia ??= () => new EventTarget() as MediaQueryList;
}

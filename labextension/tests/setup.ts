// what JupyterLab's packages look for when they are loaded, and jsdom doesn't have
if (typeof window !== 'undefined') {
  globalThis.DragEvent ??= class extends MouseEvent {} as typeof DragEvent;
  window.matchMedia ??= () => new EventTarget() as MediaQueryList;
}

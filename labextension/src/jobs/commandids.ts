/** Every action, under one name for palette, menus, toolbars and buttons. */
export namespace CommandIDs {
  export const show = 'jupyter-hpc:show';
  export const table = 'jupyter-hpc:table';
  export const open = 'jupyter-hpc:open-job';
  export const cancel = 'jupyter-hpc:cancel';
  export const hold = 'jupyter-hpc:hold';
  export const release = 'jupyter-hpc:release';
  export const requeue = 'jupyter-hpc:requeue';
  export const resubmit = 'jupyter-hpc:resubmit';
  export const forget = 'jupyter-hpc:forget';
  export const insert = 'jupyter-hpc:insert-cell';
  export const attach = 'jupyter-hpc:attach';
  export const rerun = 'jupyter-hpc:rerun-with-changes';
  export const folder = 'jupyter-hpc:open-folder';
  export const sbatch = 'jupyter-hpc:copy-as-sbatch';
  export const copyId = 'jupyter-hpc:copy-id';
  export const refresh = 'jupyter-hpc:refresh';
}

"""Tasks, threads and child processes that a cell leaves behind end as they would in a kernel."""

from __future__ import annotations

from jupyter_hpc.testing.notebook import Notebook

TASKS = """
import asyncio
done = []
async def later():
    await asyncio.sleep(0.2)
    done.append('task')
task = asyncio.create_task(later())
running = asyncio.get_running_loop().is_running()
asyncio.get_event_loop().call_later(0.1, lambda: done.append('call'))
own = asyncio.run(asyncio.sleep(0, 'run in between'))
other = asyncio.new_event_loop().run_until_complete(asyncio.sleep(0, 'another loop'))
before = list(done)
"""
THREADS = """
import threading, time
from concurrent.futures import ThreadPoolExecutor
idle = ThreadPoolExecutor(1)
idle.submit(int).result()
threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
late = []
def work():
    time.sleep(1.5)
    late.append('written')
threading.Thread(target=work, name='worker bee').start()
del idle
"""
CHILDREN = """
import multiprocessing, os, sys
codes = []
print('once', end=' ')
for way in ('exit', 'raise', 'fall through'):
    if os.fork() == 0:
        print(way)
        if way == 'exit':
            sys.exit(3)
        if way == 'raise':
            raise ValueError('of the child')
        break
    codes.append(os.waitstatus_to_exitcode(os.wait()[1]))
else:
    process = multiprocessing.get_context('fork').Process(target=sys.exit, args=(4,))
    process.start()
    process.join()
    codes.append(process.exitcode)
    del process
me = 'parent'
me
"""


def test_tasks_need_no_await_and_are_waited_for(notebook: Notebook) -> None:
    executed = notebook.remote(TASKS)
    assert notebook.value("(running, own, other, before)") == (True, "run in between", "another loop", [])
    assert notebook.value("done") == ["call", "task"]
    assert "task did not come back: task is a _asyncio.Task: a task belongs to its event loop" in executed.text


def test_a_thread_is_waited_for_and_named_but_no_daemon_and_no_idle_pool(notebook: Notebook) -> None:
    notebook.remote(THREADS)
    assert notebook.value("late") == ["written"]
    assert "waits for the thread worker bee, which still runs" in notebook.value("_hpc.logs()")


def test_a_forked_child_ends_by_itself_and_saves_nothing(notebook: Notebook) -> None:
    executed = notebook.remote(CHILDREN)
    assert notebook.value("(codes, me)") == ([3, 1, 0, 4], "parent")
    assert executed.result["text/plain"] == "'parent'"
    logs = notebook.value("_hpc.logs()")
    assert (logs.count("once"), logs.count("ValueError: of the child"), logs.count("exit\n")) == (1, 1, 1)

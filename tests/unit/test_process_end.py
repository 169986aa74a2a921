"""A process that ends while its jobs go on says nothing about it."""

from __future__ import annotations

import subprocess
import sys

ENDS = """
import asyncio, logging, threading
from jupyter_hpc.follow.trouble import Trouble
from jupyter_hpc.runtime import portal
from jupyter_hpc.runtime.clock import CLOCK

logging.basicConfig()
over = threading.Event()

async def look_for_ever():
    while True:
        try:
            await asyncio.to_thread(int)
        except RuntimeError as error:  # no thread is to be had any more
            Trouble("a run", CLOCK).met(error)
            print("ended:", portal.is_ending(), flush=True)
            over.set()
            return

print("ended:", portal.is_ending())
threading.Thread(target=over.wait).start()
portal.start(look_for_ever())
"""


def test_what_fails_because_the_process_ends_is_no_news() -> None:
    done = subprocess.run([sys.executable, "-c", ENDS], capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr) == ("ended: False\nended: True\n", "")

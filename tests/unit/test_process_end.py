"""A process that ends while its jobs go on says nothing about it."""

from __future__ import annotations

import subprocess
import sys

import pytest

ENDS = """
import asyncio, logging, threading
from jupyter_hpc.follow.trouble import Trouble
from jupyter_hpc.runtime import portal
from jupyter_hpc.runtime.clock import CLOCK

logging.basicConfig()
begun, over = threading.Event(), threading.Event()

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
{keeps}
portal.start(look_for_ever())
"""


@pytest.mark.parametrize(
    "keeps",
    [
        "threading.Thread(target=over.wait).start()",
        "portal.start(asyncio.to_thread(lambda: begun.set() or over.wait()))\nbegun.wait()",
    ],
    ids=["a thread is waited for", "a worker is waited for"],
)
def test_what_fails_because_the_process_ends_is_no_news(keeps: str) -> None:
    code = ENDS.format(keeps=keeps)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr) == ("ended: False\nended: True\n", "")


SAYS = """
import asyncio, threading
from jupyter_hpc.runtime import portal

begun = threading.Event()

async def say():
    with portal.last_words():
        begun.set()
        await asyncio.sleep({seconds})
        print("said", flush=True)

portal.END_S = 1.0
portal.start(say())
begun.wait()
"""


@pytest.mark.parametrize(("seconds", "said"), [(0.2, "said\n"), (600, "")], ids=["soon", "never"])
def test_what_another_side_waits_for_is_said_before_it_ends(seconds: float, said: str) -> None:
    code = SAYS.format(seconds=seconds)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr) == (said, "")

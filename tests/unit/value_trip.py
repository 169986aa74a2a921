"""Run as a program: send each case's values to another process and back, and print what went wrong, as JSON.

In a program of its own, since each case has its own ``__main__``.
"""

from __future__ import annotations

import contextlib
import io
import json
import pickle
import subprocess
import sys
import textwrap
import traceback
import types
from typing import Any

from jupyter_hpc.worker.pickling import ValuePickler, ValueUnpickler
from tests.unit.value_cases import CASES


def fresh_main() -> dict[str, Any]:
    """Give the process another ``__main__``."""
    module = types.ModuleType("__main__")
    sys.modules["__main__"] = module
    module.__dict__["__builtins__"] = __builtins__
    return module.__dict__


def sent(names: list[str], main: dict[str, Any]) -> bytes:
    file = io.BytesIO()
    pickler = ValuePickler(file, namespace=main)
    for name in names:
        pickler.dump(main[name])
    return file.getvalue()


def received(names: list[str], data: bytes) -> dict[str, Any]:
    unpickler = ValueUnpickler(io.BytesIO(data))
    return {name: unpickler.load() for name in names}


def there(streams: dict[str, bytes]) -> dict[str, Any]:
    """Receive each case's values, check them and send them back."""
    answers: dict[str, Any] = {}
    for case, stream in streams.items():
        names = CASES[case][1].split()
        try:
            main = fresh_main()
            main.update(received(names, stream))
            assert eval(CASES[case][2], main), CASES[case][2]
            answers[case] = sent(names, main)
        except Exception:
            answers[case] = traceback.format_exc()
    return answers


def here() -> dict[str, str]:
    """Return what went wrong with each case."""
    wrong: dict[str, str] = {}
    streams: dict[str, bytes] = {}
    mains: dict[str, dict[str, Any]] = {}
    for case, (setup, names, _) in CASES.items():
        with _noted(case, wrong):
            mains[case] = fresh_main()
            exec(compile(textwrap.dedent(setup), case, "exec", dont_inherit=True), mains[case])
            streams[case] = sent(names.split(), mains[case])
    argv = [sys.executable, "-m", "tests.unit.value_trip", "there"]
    other = subprocess.run(argv, input=pickle.dumps(streams), capture_output=True, check=False)
    if other.returncode:
        raise RuntimeError(other.stderr.decode())
    for case, answer in pickle.loads(other.stdout).items():
        with _noted(case, wrong):
            assert isinstance(answer, bytes), answer
            sys.modules["__main__"].__dict__.update(mains[case])
            for name, value in received(CASES[case][1].split(), answer).items():
                is_class = issubclass(type(value), type)
                assert not is_class or value is mains[case][name], f"{name} came back as another class"
    return wrong


@contextlib.contextmanager
def _noted(case: str, wrong: dict[str, str]) -> Any:
    try:
        yield
    except Exception:
        wrong[case] = traceback.format_exc()


if __name__ == "__main__":
    if sys.argv[1:] == ["there"]:
        sys.stdout.buffer.write(pickle.dumps(there(pickle.loads(sys.stdin.buffer.read()))))
    else:
        sys.stdout.write(json.dumps(here()))

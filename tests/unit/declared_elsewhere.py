"""Run by ``test_declared.py`` in a copy of the package that has a field ``colour`` more: says where it is found."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable
from typing import Any

import jupyter_hpc
from jupyter_hpc import OptionError
from jupyter_hpc.backends.registry import backend_class
from jupyter_hpc.capture.request import Request
from jupyter_hpc.jobs import submit as submitting
from jupyter_hpc.magics.completion import completions, matches
from jupyter_hpc.magics.help import help_text, markdown_table
from jupyter_hpc.magics.parse import parse
from jupyter_hpc.model.spec import JobSpec
from jupyter_hpc.submission.reuse import reuse_key
from jupyter_hpc.targets.target import Target


def refusal(call: Callable[[], object]) -> OptionError | None:
    try:
        call()
    except OptionError as error:
        return error
    return None


def submitted(**options: Any) -> Any:
    sent: list[JobSpec] = []
    submitting.submit_request = lambda request, target, spec, **more: sent.append(spec)
    jupyter_hpc.submit(len, [], **options)
    return sent[0].colour


def key(spec: JobSpec) -> str:
    nothing = {"digest": "", "functions": {}, "modules": {"digest": ""}}
    record = {"kind": "cell", "code": nothing, "inputs": [], "environment": {"digest": ""}}
    return reuse_key(record, Request(text="", code="", names=None, namespace={}), spec)


red, blue = JobSpec(colour="red"), JobSpec(colour="blue")
misspelt = refusal(lambda: parse(["--color", "red"], prog="%%slurm"))
answer = {
    "package": jupyter_hpc.__file__,
    "parsed": [parse(words, prog="%%slurm").spec.colour for words in (["-k", "red"], ["--colour=blue"])],
    "help": help_text("%%slurm"),
    "table": markdown_table(),
    "completed": completions("--colo", choices={})[1],
    "completed_of_resubmit": matches("%hpc resubmit 3f9a --colo")[1],
    "misspelt": misspelt.hint if misspelt else "",
    "signature": str(inspect.signature(jupyter_hpc.submit)),
    "doc": jupyter_hpc.submit.__doc__,
    "submitted": submitted(colour="red"),
    "refused": {
        name: str(refusal(lambda name=name: backend_class(name).check_supported(red)) or "")
        for name in ("slurm", "kubernetes", "local")
    },
    "recorded": red.to_record(),
    "read_back": JobSpec.from_record(json.loads(json.dumps(red.to_record()))) == red,
    "of_an_old_record": JobSpec.from_record({"resources": {}, "partition": "gpu"}).colour,
    "defaulted": [Target("t", "slurm", defaults={"colour": "red"}).complete(spec).colour for spec in (JobSpec(), blue)],
    "keys": [key(red) == key(JobSpec(colour="red", name="n")), key(red) == key(blue)],
}
print(json.dumps(answer))

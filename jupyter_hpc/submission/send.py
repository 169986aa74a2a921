"""From a request to a run at a scheduler: build the payload, write the record, hand it to the backend."""

from __future__ import annotations

import logging
import shutil

from ..backends import build
from ..capture import payload as payloads
from ..capture import sent
from ..capture.environment import requirements
from ..capture.request import Request
from ..lineage.record import inputs
from ..model.spec import JobSpec
from ..rundir.run import Run
from ..rundir.store import store
from ..runtime import portal
from .checks import accepted, check_magics, travelling
from .frozen import freeze_modules
from .handover import Say
from .launch import launch, new_run
from .record import complete_record, new_record
from .reuse import reusable, reused_words

_logger = logging.getLogger(__name__)
_said: set[str] = set()  # notes on modules, each once


def submit_request(
    request: Request, target_name: str, spec: JobSpec, say: Say | None = None, *, reuse: bool = False
) -> Run:
    """Submit a cell or a call and return its run.

    Parameters
    ----------
    say : callable, optional
        Gets a sentence when there is something to wait for, as when the scheduler doesn't answer.
    reuse : bool
        Return the newest completed run with the same code, inputs and environment, if there is one.

    Raises
    ------
    CaptureError, OptionError, TargetError, SubmissionError
        Each with a sentence; nothing is left behind then.
    """
    where, spec = accepted(target_name, spec)
    request = travelling(request, spec)
    portal.call(check_magics(request, spec), 30)
    runs = store()
    with new_run(runs) as run:
        built = payloads.build(run.payload, request, runs.place_buffer, lambda m: freeze_modules(runs, m))
        payloads.check_complete(built)
        for note in built.modules.notes:
            if note not in _said:
                _said.add(note)
                (say or _logger.info)(f"! {note}.")
        wanted = requirements.read(spec.requirements) if spec.requirements else None
        if wanted is not None:
            requirements.check_complete(wanted, built.manifest["environment"]["packages"])
            build.prepare(runs, run, spec, wanted)
        record = new_record(run, request, where, spec, built, wanted)
        earlier = reusable(runs, record["reuse_key"]) if reuse else None
        if earlier is not None:
            shutil.rmtree(run.path, ignore_errors=True)
            inputs.sent(built.items, request.namespace, runs)
            (say or _logger.info)(reused_words(earlier))
            return earlier
        launch(run, record, spec, where, say)
    sent.remember(run.id, built.sent)
    inputs.sent(built.items, request.namespace, runs)
    portal.start(complete_record(run, request, built))
    return run

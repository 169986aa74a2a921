"""Submit a run again: the same code and inputs, with other resources or on another target."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from ..backends.build import LINK
from ..explain.again import changed_options
from ..model.declaration import changing_result
from ..model.exceptions import OptionError
from ..model.redaction import all_redacted
from ..model.redaction_of_code import MARK
from ..model.resources import Resources
from ..model.spec import JobSpec
from ..rundir import blobs, checked
from ..rundir.run import Run, own_fields_removed
from ..rundir.store import store
from .checks import accepted
from .launch import launch, new_run


def resubmit(
    old: Run,
    *,
    target: str | None = None,
    resources: Mapping[str, Any] | None = None,
    options: Mapping[str, Any] | None = None,
    revise: Callable[[Run, dict[str, Any]], None] | None = None,
) -> Run:
    """Submit a run's payload again and return the new run.

    Parameters
    ----------
    target : str, optional
        Another target.
    resources : mapping, optional
        What to ask for instead, as people write it: ``{"memory": "8G"}``.
    options : mapping, optional
        Other fields of the spec to set.
    revise : callable, optional
        Gets the new run, whose payload is there, and its record, which it may change.

    Raises
    ------
    OptionError
        If a resource is wrong or could never be had there, or the job had values of ``--env``, which no record keeps.
    ResultError
        If its payload isn't as it was signed.
    HPCError
        If it can't be submitted.
    """
    old = old.whole or old
    record = own_fields_removed(old.record())
    spec = JobSpec.from_record(record["spec"])
    if spec.env:
        raise OptionError(
            f"{old.id} was given --env {', '.join(spec.env)}, and their values are kept nowhere.",
            hint="Run the cell again.",
        )
    sent, spec = spec, replace(spec, **dict(options or {}))
    if any(getattr(spec, name) != getattr(sent, name) for name in changing_result(JobSpec)):
        record.pop("reuse_key", None)  # its result is not that of the same cell submitted again
    if MARK in str(replace(spec, prologue="")):  # that comes from the target again
        raise OptionError(
            f"{old.id} was submitted with an option that looks like a secret, and that is kept nowhere.",
            hint="Run the cell again.",
        )
    changes = Resources.parse(**dict(resources or {}))
    where, spec = accepted(
        target or record["target"]["name"],
        replace(spec, resources=changes.merged(spec.resources)),
    )
    elsewhere = target if target != record["target"]["name"] else None
    changed = changed_options(resources or {}, options or {}, elsewhere)
    runs = store()
    with checked.payload(old), new_run(runs) as run:  # what is signed as ours, and run, must have been ours
        shutil.copytree(old.payload, run.payload, copy_function=_link, dirs_exist_ok=True)
        if (old.path / blobs.FOLDER).is_dir():
            shutil.copytree(old.path / blobs.FOLDER, run.path / blobs.FOLDER, copy_function=_link)
        record.update(
            id=run.id,
            created=time.time(),
            name=spec.name,
            spec=all_redacted(spec.to_record()),
            state="SUBMITTING",
            resubmits=old.id,
            changed_options=all_redacted(changed),
        )
        record["target"] = {"name": where.name, "backend": where.backend}
        record.pop("brings", None)
        if revise is not None:
            revise(run, record)
        if (old.path / LINK).is_symlink():
            (run.path / LINK).symlink_to(os.readlink(old.path / LINK))
        launch(run, record, spec, where)
    return run


def _link(source: str, destination: str) -> str:
    try:
        os.link(source, destination)
    except OSError:  # a file system without hard links
        shutil.copy2(source, destination)
    return destination

"""Submit a run again: the same code and inputs, with other resources or on another target."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import Any

from ..backends.base import Backend
from ..backends.build import LINK
from ..explain.again import changed_options
from ..model.declaration import changing_result, declared, is_set
from ..model.exceptions import OptionError
from ..model.options import refusal
from ..model.redaction import all_redacted
from ..model.redaction_of_code import MARK
from ..model.resources import Resources
from ..model.spec import JobSpec
from ..rundir import blobs, checked
from ..rundir.run import Run, own_fields_removed
from ..rundir.store import store
from ..targets.targets import target as find_target
from .checks import accepted
from .launch import launch, new_run


def resubmit(
    old: Run,
    *,
    target: str | None = None,
    resources: Mapping[str, Any] | None = None,
    options: Mapping[str, Any] | None = None,
    unset: Collection[str] = (),
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
    unset : collection of str, optional
        Fields of resources and spec that are left to the target, whatever they were.
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
    sent, spec = spec, replace(_left(spec, unset), **dict(options or {}))
    if any(getattr(spec, name) != getattr(sent, name) for name in changing_result(JobSpec)):
        record.pop("reuse_key", None)  # its result is not that of the same cell submitted again
    if MARK in str(replace(spec, prologue="")):  # that comes from the target again
        raise OptionError(
            f"{old.id} was submitted with an option that looks like a secret, and that is kept nowhere.",
            hint="Run the cell again.",
        )
    elsewhere = target if target != record["target"]["name"] else None
    if elsewhere:
        spec = _left(spec, not_had(spec, find_target(elsewhere).kind) - {*(options or {})})
    changes = Resources.parse(**dict(resources or {}))
    where, spec = accepted(
        target or record["target"]["name"],
        replace(spec, resources=changes.merged(spec.resources)),
    )
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


def _left(spec: JobSpec, names: Collection[str]) -> JobSpec:
    """Return the spec without some of its fields, which the target then chooses."""
    nothing = JobSpec()
    resources = {name: getattr(nothing.resources, name) for name in names if hasattr(nothing.resources, name)}
    if {"gpus", "gpus_per_task"} & resources.keys():  # said with the number
        resources["gpu_type"] = None
    others = {name: getattr(nothing, name) for name in names if name not in resources}
    return replace(spec, resources=replace(spec.resources, **resources), **others)


def not_had(spec: JobSpec, kind: type[Backend]) -> set[str]:
    """Return the fields that a kind of scheduler doesn't have, and without which the result is the same."""
    found = {
        option.dest
        for owner in (spec, spec.resources)
        for option in declared(type(owner))
        if is_set(getattr(owner, option.dest)) and refusal(option, kind.options_of, kind.supports) is not None
    }
    return found - {*changing_result(JobSpec)}


def _link(source: str, destination: str) -> str:
    try:
        os.link(source, destination)
    except OSError:  # a file system without hard links
        shutil.copy2(source, destination)
    return destination

"""A job once more: the form that is filled in, and what is asked with it."""

from __future__ import annotations

import asyncio
from typing import Any

from jupyter_server.auth.decorator import authorized
from tornado import web

from ..jobs.submit import replace_waiting, resubmit
from ..model.exceptions import OptionError
from ..model.printable import all_printable
from ..model.resubmission import asked_again, read_line
from ..submission.again_form import form_of
from ..targets.targets import targets
from .handlers import HPCHandler

_BODY = {"resources": dict, "spec": dict, "options": str, "target": str, "instead": bool}
_WORDS = {dict: "an object", str: "a string", bool: "true or false"}


class ResubmitHandler(HPCHandler):
    @web.authenticated
    @authorized
    async def get(self, run_id: str) -> None:
        job = self.job(run_id)
        target = _known(self.text("target"))
        form = await asyncio.to_thread(form_of, job.run, target)
        self.finish(all_printable(form.to_json()))

    @web.authenticated
    @authorized
    async def post(self, run_id: str) -> None:
        job, asked = self.job(run_id), _checked(self.body())
        said, named = read_line(asked["options"])
        found = asked_again({**asked["spec"], **said}, _known(named or asked["target"]))
        empty = tuple(name for name, value in asked["resources"].items() if value == "")
        resources = {name: value for name, value in asked["resources"].items() if name not in empty}
        changes = {**found.changes, "resources": {**resources, **found.resources}, "unset": (*found.unset, *empty)}
        new = await asyncio.to_thread(replace_waiting if asked["instead"] else resubmit, job, **changes)
        self.set_status(201)
        self.finish({"id": new.id})


def _checked(body: dict[str, Any]) -> dict[str, Any]:
    """Return what a body asks for, with all keys.

    Raises
    ------
    OptionError
        If it has another one, or a value of the wrong kind.
    """
    if unknown := body.keys() - _BODY.keys():
        raise OptionError(f"The body has {min(unknown)[:80]!r}, which is none of {', '.join(_BODY)}.")
    found = {name: body[name] if body.get(name) is not None else kind() for name, kind in _BODY.items()}
    for name, kind in _BODY.items():
        if type(found[name]) is not kind:
            raise OptionError(f"{name} must be {_WORDS[kind]}.")
    if None in found["resources"].values() or None in found["spec"].values():
        raise OptionError("A resource must be a text, a number, true or false.")
    return found


def _known(target: str) -> str | None:
    """Return a target's name; None for the job's own.

    Raises
    ------
    OptionError
        If there is no such target.
    """
    if target and target not in targets():
        raise OptionError(f"There is no target {target[:80]!r}.", hint="`%hpc targets` lists them.")
    return target or None


ROUTES: list[tuple[str, type[HPCHandler]]] = [("/jobs/(?P<run_id>[^/]{1,2000})/resubmit", ResubmitHandler)]

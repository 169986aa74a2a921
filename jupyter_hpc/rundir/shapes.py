"""The shapes of a run's JSON files, as far as anybody reads them: what doesn't fit is left out where they are read.

So no view, verdict or index has to ask of a field whether it is what it should be.
"""

from __future__ import annotations

import dataclasses
from typing import Any

from ..model.cell_arguments import CellArguments
from ..model.resources import Resources
from ..model.spec import JobSpec
from ..model.states import JobState
from . import series
from .fitting import (
    Each,
    Maybe,
    Missing,
    Needs,
    Only,
    count,
    fitted,
    flag,
    moment,
    number,
    one_of,
    parsed,
    shallow,
    text,
    whole,
    word,
)

_MOST_TASKS = 10_000_000


def _index(found: Any) -> bool:
    return type(found) is int and 0 <= found < _MOST_TASKS


def _option(annotation: str) -> Any:
    """Return the shape of a field of the spec in a record, by the field's own type."""
    kind = annotation.partition(" | ")[0]
    if kind.startswith(("tuple[str", "Mapping[str")):  # of --env a record has only the names
        return [text]
    return {"str": Maybe(text), "int": Maybe(count), "bool": flag}.get(kind, shallow)


_texts = Maybe(text)
_words = Maybe([text])
_word = Maybe(word)
_when = Maybe(moment)
_number = Maybe(number)
_count = Maybe(count)
_state = one_of(*(state.value for state in JobState))

_RESOURCES = {field.name: _option(str(field.type)) for field in dataclasses.fields(Resources)}
_SPEC = Needs(
    {
        **{field.name: _option(str(field.type)) for field in dataclasses.fields(JobSpec)},
        "nice": Maybe(whole),
        "resources": _RESOURCES,
    },
    resources={},
)
_ITEM = Needs(  # a name with its value, sent or made
    {
        "name": text,
        "type": text,
        "nbytes": count,
        "digest": _word,
        "why": _texts,
        "shape": Maybe([whole]),
        "dtype": _texts,
        "length": _count,
        "origin": Maybe({"run": _texts, "via": _texts, "cells": _words, "name": _texts}),
        "derived": Maybe([{"digest": _word, "how": _texts}]),
    },
    "name",
    type="",
    nbytes=0,
    digest=None,
)
_MADE = Needs({**_ITEM.shape, "nbytes": count, "offset": count, "buffers": [count]}, "name", "nbytes", digest=None)
_FILE = Needs(
    {"path": text, "role": text, "name": _texts, "digest": _word, "nbytes": _count, "mtime": _number, "why": _texts},
    "path",
    digest=None,
    nbytes=None,
    mtime=None,
)
_GPU = {"name": _texts, "model": _texts, "uuid": _texts, "driver": _texts}
_DRIFT = Needs({"name": text, "kernel": _texts, "node": _texts, "need": text}, "name", "kernel", "node", "need")
_CODE = Needs(
    {
        "text": text,
        "digest": _word,
        "label": _texts,
        "first_line": _count,
        "functions": Maybe(Each({"source": text, "digest": word})),
        "modules": Maybe({"digest": _word, "files": Maybe(Each(text))}),
        "sources": Maybe(
            [
                {
                    **dict.fromkeys(("path", "remote", "commit", "branch", "diff"), _texts),
                    "of": _words,
                    "untracked": _words,
                    "travelled": Maybe(Each(shallow)),
                }
            ]
        ),
    },
    text="",
)
_ENVIRONMENT = {
    **dict.fromkeys(("digest", "worker"), _word),
    "executable": _texts,
    "requirements": Maybe({"packages": _count}),
    "drift": Maybe([_DRIFT]),
    "installed": Maybe(Each(_texts)),
    "built_seconds": _number,
}
_EXECUTION = {
    "gpus": Maybe([_GPU]),
    **dict.fromkeys(("driver", "conda", "nodes", "host", "system", "libc"), _texts),
    "modules": _words,
    "variables": Maybe(Each(text)),
    "imported": Maybe(Each(text)),
}
_VERDICT = {
    "state": _state,
    **dict.fromkeys(("error", "message", "hint", "cause"), text),
    **dict.fromkeys(("exit_code", "signal"), Maybe(whole)),
    "evidence": [text],
    "again": _texts,
}
_NOTEBOOK = {
    **dict.fromkeys(("path", "cell_id", "session"), _texts),
    "execution_count": Maybe(whole),
}
_ATTEMPT = {"attempt": count, "started": _when, "ended": _when, **dict.fromkeys(("node", "how", "reason"), _texts)}
_SUGGESTION = Needs(
    {"options": text, "why": text, "confirmed": flag, "expected_start": _when},
    "options",
    why="",
    confirmed=False,
)
_WAITING = Needs(  # what the scheduler said last of why it waits
    {
        **dict.fromkeys(("reason", "hint"), text),
        **dict.fromkeys(("place", "ahead", "of"), _count),
        **dict.fromkeys(("expected_start", "asked_at"), _when),
        "suggestions": [_SUGGESTION],
    },
    reason="",
    suggestions=[],
)
_INCIDENT = Needs({"from": moment, "until": moment, "what": text}, "from", "until", "what")
_measured = series.measured
_finite = series.is_finite
_METRIC = Needs(
    {
        "last": _measured,
        "min": Maybe(_measured),
        "max": Maybe(_measured),
        "count": count,
        "trend": [_finite],
        "tasks": count,
    },
    *("last", "count"),
)
_OF_ANY_RUN = {
    "id": text,
    "kind": text,
    "created": moment,
    "array_id": _texts,
    "task": _index,
    **dict.fromkeys(("name", "user", "host", "session", "reuse_key", "reused_from", "resubmits"), _texts),
    **dict.fromkeys(("replaces", "replaced_by", "changed_options", "cancel_asked_by"), _texts),
    "target": Needs({"name": text, "backend": text}, "name"),
    "spec": _SPEC,
    "asked": {
        field.name: _option(str(field.type)) for field in dataclasses.fields(CellArguments) if field.name != "spec"
    },
    "code": _CODE,
    "inputs": [_ITEM],
    "outputs": Maybe([_ITEM]),
    "environment": _ENVIRONMENT,
    **{key: [text] for key in ("names", "stale", "changes", "notes", "command")},
    "notebook": _NOTEBOOK,
    "state": _state,
    **dict.fromkeys(("reason", "node", "native_id"), _texts),
    **dict.fromkeys(("submitted_at", "started_at", "ended_at", "cancel_asked_at"), _when),
    "verdict": Maybe(_VERDICT),
    "waiting": Maybe(_WAITING),
    "attempts": [_ATTEMPT],
    "incidents": [_INCIDENT],
    "array": Maybe(Needs({"text": text, "indices": [_index]}, "indices")),
    "files": [_FILE],
    "execution": Maybe(_EXECUTION),
    "determinism": Maybe(Each(_texts)),
    "exception": Maybe(Needs(dict.fromkeys(("type", "message", "traceback"), text), "type")),
    "unloaded": Maybe(Each(text)),
    "brings": flag,
    **dict.fromkeys(("metrics", "task_metrics"), Each(_METRIC)),
    "set": Maybe(Each(text)),
}

RECORD = Needs(_OF_ANY_RUN, "id", "target", "code", "spec", inputs=[], kind="cell")
PART = _OF_ANY_RUN  # what a part has of its own

_WHOLE_IN_A_ROW = ("id", "created", "name", "target", "state", "reason", "node", "native_id", "started_at", "ended_at")
IN_BRIEF = Only(  # of a record, what a row of a list or of the table shows
    Needs(
        {
            **{key: _OF_ANY_RUN[key] for key in (*_WHOLE_IN_A_ROW, "array", "metrics", "task_metrics")},
            "code": Only(Needs({"text": text}, text="")),
            "spec": Only(Needs({key: _SPEC.shape[key] for key in ("partition", "resources")}, resources={})),
            "notebook": Only({"path": _texts}),
            "verdict": Maybe(Only({"error": text})),
        },
        *RECORD.keys,
    )
)

END = {"exit": whole, "signalled": whole, "oom_kills": count, "lost": _texts}

_RAISED = {
    **dict.fromkeys(("type", "message", "traceback", "kind", "module"), _texts),
    **dict.fromkeys(("signal", "errno"), Maybe(whole)),
    **dict.fromkeys(("oom_kills", "address_limit"), _count),
    "bases": _words,
    "disk": Maybe({"path": _texts, "mount": _texts, "free": _count}),
}
_ERROR = Needs(_RAISED, type="Exception", message="", traceback="")
_CONTINUES = {"count": count, "numbers": Maybe([count]), "short": flag}
_BUFFER = Needs({"file": text, "size": count, "digest": word}, "file", "size", "digest")
MANIFEST = {  # of a result or payload
    "names": [_MADE],
    "buffers": [_BUFFER],
    "error": Maybe(_ERROR),
    "continues": Maybe(_CONTINUES),
    "modules": Each(text),
    **dict.fromkeys(("missing", "deleted", "changed", "mutated", "needs"), _words),
    "unsent": Maybe(Each(text)),
    "imported": Maybe(Each(text)),
    "settings": Maybe({"notes": _words}),
    "cell": {
        "module_paths": [text],
        "sources": Maybe(Each(Needs({"label": text, "text": text}, "label", "text"))),
        **dict.fromkeys(("filename", "code", "text", "label", "kind"), _texts),
        **{key: [text] for key in ("explicit_outputs", "reads", "writes")},
        **dict.fromkeys(("all_new", "ipython"), flag),
    },
}

CONTAINER = Needs(  # what nothing can be loaded without
    {
        **MANIFEST,
        "has_code": flag,
        "python": [whole],
        "pickle": Needs({"size": count, "digest": word}, "size", "digest"),
    },
    *("names", "buffers", "has_code", "python", "pickle"),
)

_SHOWS = {"at": count, **dict.fromkeys(("data", "metadata", "transient"), Each(shallow)), "wait": flag}
_SAMPLE = {"t": moment, "rss": count, "cpu_s": number, "gpus": Maybe([Each(shallow)])}
_USE = Maybe({"peak_rss": count, "cpu_s": number})
_EVENTS: dict[str, Any] = {
    "started": Needs(
        {
            "t": moment,
            **dict.fromkeys(("node", "host", "executable", "platform", "system", "libc", "driver"), _texts),
            **dict.fromkeys(("job_id", "nodes", "modules", "conda"), _texts),
            **dict.fromkeys(("pid", "attempt", "rank", "cpus", "memory_limit"), _count),
            "python": [whole],
            "gpus": Maybe([_GPU]),
            "variables": Maybe(Each(text)),
            "environment": Each(text),
        },
        "t",
    ),
    "sample": Needs(_SAMPLE, "t", "rss", "cpu_s"),
    "saving": Needs({"t": moment, "use": _USE}, "t"),
    "done": Needs({"t": moment, "outcome": text, "use": _USE}, "t"),
    "unsaved": {**_RAISED, "t": moment},
    "mismatch": {**_RAISED, "hint": _texts, "t": moment},
    "environment": {
        "drift": Maybe([_DRIFT]),
        **dict.fromkeys(("executable", "implementation"), _texts),
        "packages": Maybe(Each(_texts)),
        "direct": Maybe(Each(shallow)),
    },
    "building": Needs({"t": moment}, "t"),
    "built": {"t": moment, "seconds": number},
    "waits": Needs({"t": moment, "message": text}, "t", "message"),
    "signal": {"t": moment, "signal": whole},
    "file": _FILE,
    "point": Needs({"t": moment, "v": Each(_measured), "x": _finite, "by": text}, "t", "v", "x"),
    "series": Needs({"t": moment, "of": Each(_METRIC)}, "of"),
    "attempt": {"at": count, "base": count, "number": whole},
    "stream": Needs({"at": count, "name": text}, "at", name="stdout"),
    **dict.fromkeys(("display", "update_display", "clear_output", "value"), Needs(_SHOWS, "at")),
}
_OTHER_EVENT = {"t": moment}

# -- files of the whole store, a JSON object in each line --

LOCAL_CELL = Needs(
    {
        "id": text,
        "t": moment,
        "execution_count": Maybe(whole),
        **dict.fromkeys(("notebook", "cell_id", "text"), _texts),
        "digest": _word,
        "reads": Each(_word),
        "writes": [text],
        "mutates": [text],
        "files": [_FILE],
        "failed": flag,
    },
    "id",
    "t",
)
TAG = Needs(
    {"t": moment, **dict.fromkeys(("key", "value", "subject"), text), "name": _texts, "run": _texts},
    *("t", "key", "value", "subject"),
)


def lines(data: bytes, shape: Any) -> list[dict[str, Any] | None]:
    """Return the objects of a file of lines; None for each line that is none of that shape: cut off, damaged."""
    return [_line(line, shape) for line in data.split(b"\n") if line.strip()]


def _line(data: bytes, shape: Any) -> dict[str, Any] | None:
    try:
        found = fitted(parsed(data), shape)
    except ValueError:
        return None
    return None if found is Missing else found


def event(found: Any) -> dict[str, Any] | None:
    """Return a line of the worker's events; None if it is damaged."""
    kind = found.get("e") if type(found) is dict else None
    if type(kind) is not str:
        return None
    fit = fitted(found, _EVENTS.get(kind, _OTHER_EVENT))
    return None if fit is Missing else fit

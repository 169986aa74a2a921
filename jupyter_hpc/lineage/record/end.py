"""What a run's record has of its end: outputs, files, where and in what environment it ran."""

from __future__ import annotations

from typing import Any

from ...capture.environment.snapshot import of_record
from ...model.redaction import all_redacted, redacted
from ...rundir import blobs
from ...rundir.reader import RunReader
from ...worker.result_writer import CHANGE, EXCEPTION, RETURN
from ...worker.shown import SHOWN

NOT_RECORDED = "not recorded"
MOST_TEXT = 64 << 10  # of a traceback
RESULT = "return value"  # how the value of a call is named
_DETAIL = ("name", "type", "nbytes", "digest", "shape", "dtype", "length")


def ended(reader: RunReader, record: dict[str, Any]) -> dict[str, Any]:
    """Return the fields that a run's end adds to its record, whoever concludes it and however it ended.

    Parameters
    ----------
    record : dict
        The run's record so far.
    """
    manifest = reader.run.manifest() or {}
    return {
        "outputs": outputs(manifest),
        "exception": exception(manifest),
        "files": files(reader),
        "metrics": reader.series.summary(),
        "execution": execution(reader, record, manifest),
        "determinism": determinism(reader),
        "environment": {**record.get("environment", {}), **environment(reader, record)},
    }


def outputs(manifest: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the names that a result's manifest has: digest, type, size; never a value."""
    names = manifest.get("names")
    found = []
    for item in (names := names if isinstance(names, list) else []):
        if isinstance(item, dict) and item.get("name") not in (EXCEPTION, SHOWN):
            one = {key: item[key] for key in _DETAIL if key in item}
            name = str(item.get("name"))
            if name.startswith(CHANGE):  # of what it is now; bound anew, it has another entry
                name = name.replace(CHANGE, "")
                if any(isinstance(other, dict) and other.get("name") == name for other in names):
                    continue
            found.append({**one, "name": RESULT if name == RETURN else name})
    return found


def exception(manifest: dict[str, Any]) -> dict[str, str] | None:
    """Return type, message and traceback of what the cell raised, without what looks like a secret."""
    error = manifest.get("error")
    if not isinstance(error, dict) or not error.get("type"):
        return None
    texts = {key: str(error.get(key) or "") for key in ("type", "message", "traceback")}
    return {key: redacted(_bounded(text)) for key, text in texts.items()}


def _bounded(text: str) -> str:
    """Return a text, or begin and end of a long one: a traceback says where at its top, and what at its end."""
    if len(text) <= MOST_TEXT:
        return text
    begin, end = text[: MOST_TEXT * 3 // 4], text[-MOST_TEXT // 4 :]
    return f"{begin}\n… {len(text) - len(begin) - len(end)} characters …\n{end}"


def files(reader: RunReader) -> list[dict[str, Any]]:
    """Return the files that the cell declared or was seen with, each as it was told last."""
    found: dict[tuple[Any, Any], dict[str, Any]] = {}
    for event in reader.files:
        key = (event.get("role"), event.get("path"))
        one = {k: v for k, v in event.items() if k not in ("e", "t")}
        found[key] = {**one, "name": one.get("name") or found.get(key, {}).get("name")}
    return list(found.values())


def execution(reader: RunReader, record: dict[str, Any], manifest: dict[str, Any]) -> dict[str, Any]:
    """Return on what the run ran, and which packages it had imported at its end, as far as anybody said."""
    started = reader.started or {}
    sampled = [
        g for g in (reader.samples[-1] if reader.samples else {}).get("gpus") or () if isinstance(g, dict)
    ]  # those of the job
    cards = [{"name": g.get("name")} for g in sampled] or started.get("gpus") or []
    driver = sampled[0].get("driver") if sampled else started.get("driver")
    nodes = started.get("nodes") or started.get("node")
    found = {
        "gpus": cards,
        "driver": driver,
        "image": record.get("image") or started.get("container"),
        "modules": [x for x in str(started.get("modules") or "").split(":") if x],
        "conda": started.get("conda"),
        "nodes": nodes,
        "host": started.get("host"),
        "system": started.get("system"),
        "libc": started.get("libc"),
        "variables": started.get("variables") or {},
        "imported": manifest.get("imported") or {},
    }
    return {k: v for k, v in all_redacted(found).items() if v}


def determinism(reader: RunReader) -> dict[str, Any]:
    """Return what is known of chance in the run."""
    seed = ((reader.started or {}).get("variables") or {}).get("PYTHONHASHSEED")
    return {"PYTHONHASHSEED": seed if seed and seed != "random" else NOT_RECORDED}


def environment(reader: RunReader, record: dict[str, Any]) -> dict[str, Any]:
    """Return the digest of the worker's environment, whose blob the run keeps; the kernel's where it said nothing."""
    if reader.started is None:
        return {}
    own = reader.environment
    if own is None:
        return {"worker": record.get("environment", {}).get("digest")}
    found = of_record(
        all_redacted(
            {
                "python": ".".join(map(str, reader.started.get("python") or ())),
                "implementation": own.get("implementation"),
                "executable": own.get("executable"),
                "platform": reader.started.get("system"),
                "conda": reader.started.get("conda"),
                "loaded_modules": reader.started.get("modules"),
                "packages": own.get("packages") or {},
                "direct": own.get("direct") or {},
            }
        )
    )
    return {"worker": blobs.keep(reader.run, found.text)}

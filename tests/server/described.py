"""What ``openapi.yaml`` says of a request and its answer, checked."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import yaml
from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

import jupyter_hpc.server

FOLDER = Path(jupyter_hpc.server.__file__).parent
ROUTES: dict[str, Any] = yaml.safe_load((FOLDER / "openapi.yaml").read_text())
SCHEMAS: dict[str, Any] = yaml.safe_load((FOLDER / "schemas.yaml").read_text())
CLUSTERS: dict[str, Any] = yaml.safe_load((FOLDER / "clusters.yaml").read_text())
TABLE: dict[str, Any] = yaml.safe_load((FOLDER / "table.yaml").read_text())
_REGISTRY: Registry[Any] = Registry().with_resources(
    (name, Resource(contents=contents, specification=DRAFT202012))
    for name, contents in (
        ("openapi.yaml", ROUTES),
        ("schemas.yaml", SCHEMAS),
        ("clusters.yaml", CLUSTERS),
        ("table.yaml", TABLE),
    )
)


class NotAsDescribed(AssertionError):
    """An answer, or a request that was accepted, which the description doesn't have."""


def check(method: str, path: str, status: int, answer: Any, body: Any = None) -> None:
    """Compare an answer with the description, and the request too if the server accepted it.

    Parameters
    ----------
    path : str
        Below the base URL, with the query.
    answer : object
        The parsed JSON, or the bytes of anything else.

    Raises
    ------
    NotAsDescribed
        Saying what is wrong, and where.
    """
    found = operation(method, path)
    if found is None:  # no route of ours: whoever answered isn't described here
        return
    where = f"{method} {path}: {status}"
    responses = found["responses"]
    described = _resolved(responses.get(str(status)) or responses["default"])
    content = described.get("content") or {}
    if "application/json" in content:
        _validate(where, content["application/json"]["schema"], answer)
    elif not isinstance(answer, bytes) or (answer and not content):
        raise NotAsDescribed(f"{where}: {answer!r} is not {list(content) or 'nothing'}")
    if status < 300:
        _check_request(where, found, path, body)


def operation(method: str, path: str) -> dict[str, Any] | None:
    """Return the description of a request, if it has a route."""
    for pattern, verbs in _patterns():
        if pattern.fullmatch(unquote(urlsplit(path).path)) and method.lower() in verbs:
            found: dict[str, Any] = verbs[method.lower()]
            return found
    return None


@cache
def _patterns() -> list[tuple[re.Pattern[str], dict[str, Any]]]:
    return [(_pattern(path, verbs), verbs) for path, verbs in ROUTES["paths"].items()]


def _pattern(path: str, verbs: dict[str, Any]) -> re.Pattern[str]:
    """Return what a path matches, with the patterns of its parameters."""
    first = next(iter(verbs.values()))
    inside = {each["name"]: each["schema"]["pattern"][1:-1] for each in parameters(first, "path")}
    return re.compile(re.sub(r"\{(\w+)\}", lambda found: f"(?:{inside[found[1]]})", path))


def parameters(described: dict[str, Any], place: str) -> list[dict[str, Any]]:
    """Return what an operation takes in its path or its query."""
    return [each for each in map(_resolved, described.get("parameters", ())) if each["in"] == place]


def _resolved(described: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in described:
        return described
    found: dict[str, Any] = _REGISTRY.resolver("openapi.yaml").lookup(described["$ref"]).contents
    return found


def _check_request(where: str, described: dict[str, Any], path: str, body: Any) -> None:
    known = {each["name"]: each["schema"] for each in parameters(described, "query")}
    for name, written in parse_qsl(urlsplit(path).query):
        if name not in known:
            raise NotAsDescribed(f"{where}: no {name} in the description")
        _validate(f"{where} {name}", known[name], int(written) if known[name].get("type") == "integer" else written)
    if body and "requestBody" not in described:
        raise NotAsDescribed(f"{where}: a body is not described")
    if body:
        _validate(f"{where} body", described["requestBody"]["content"]["application/json"]["schema"], body)


def _validate(where: str, schema: dict[str, Any], value: Any) -> None:
    # a reference of the description is relative to its file
    wrapped = {"$id": "openapi.yaml", **schema}
    validator = Draft202012Validator(wrapped, registry=_REGISTRY)
    errors = sorted(validator.iter_errors(value), key=lambda error: len(error.absolute_path), reverse=True)
    if errors:
        raise NotAsDescribed(f"{where}: {_words(errors[0])}")


def _words(error: Any) -> str:
    while error.context:  # of alternatives, the one that came furthest says what is wrong
        error = max(error.context, key=lambda each: len(each.absolute_path))
    place = "/".join(map(str, error.absolute_path)) or "the answer"
    return f"{place}: {error.message[:500]}"

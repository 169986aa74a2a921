"""Kubernetes' strategic merge, for pod templates: mappings merge, lists of named things by their key."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# the lists that the API merges by a key of their items; others are replaced as a whole
_KEYS = {
    "containers": "name",
    "initContainers": "name",
    "ephemeralContainers": "name",
    "env": "name",
    "volumes": "name",
    "volumeMounts": "mountPath",
    "volumeDevices": "devicePath",
    "ports": "containerPort",
    "imagePullSecrets": "name",
    "hostAliases": "ip",
    "topologySpreadConstraints": "topologyKey",
    "schedulingGates": "name",
    "resourceClaims": "name",
}
_DIRECTIVE = "$patch"


def merged(base: Mapping[str, Any], patch: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``base`` with ``patch`` merged in; None removes a field, ``$patch: replace`` and ``delete`` hold.

    Examples
    --------
    >>> merged({"spec": {"a": 1, "b": 2}}, {"spec": {"b": None, "c": 3}})
    {'spec': {'a': 1, 'c': 3}}
    """
    if patch.get(_DIRECTIVE) == "replace":
        return {k: v for k, v in patch.items() if k != _DIRECTIVE}
    found = dict(base)
    for key, value in patch.items():
        old = found.get(key)
        if value is None:
            found.pop(key, None)
        elif isinstance(value, Mapping):
            found[key] = merged(old if isinstance(old, Mapping) else {}, value)
        elif isinstance(value, list) and key in _KEYS and isinstance(old, list):
            found[key] = _merged_list(old, value, _KEYS[key])
        else:
            found[key] = value
    return found


def _merged_list(base: list[Any], patch: list[Any], key: str) -> list[Any]:
    if any(item.get(_DIRECTIVE) == "replace" for item in patch):
        return [item for item in patch if item.get(_DIRECTIVE) != "replace"]
    found = list(base)
    for item in patch:
        at = next((i for i, old in enumerate(found) if old.get(key) == item.get(key)), None)
        if item.get(_DIRECTIVE) == "delete":
            found = [old for i, old in enumerate(found) if i != at]
        elif at is None:
            found.append(item)
        else:
            found[at] = merged(found[at], item)
    return found

"""The rights that a user needs, and which of them are missing."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from .client import ApiError, Client

Right = tuple[str, str, str, str]  # API group, resource, verb, what it is for

NEEDED: tuple[Right, ...] = (
    *(("batch", "jobs", verb, "jobs") for verb in ("create", "get", "list", "patch", "delete")),
    *(("", "pods", verb, "how a job stands") for verb in ("list", "watch")),
    ("", "pods/log", "get", "what a cell prints, and small results"),
    ("", "pods/exec", "get", "large payloads and results"),
    ("", "pods/exec", "create", "large payloads and results"),
    ("", "secrets", "create", "what travels into a pod"),
    ("", "events", "list", "why a pod doesn't start"),
)
ESSENTIAL = tuple(right for right in NEEDED if right[1] != "events")
HELPFUL: tuple[Right, ...] = (
    ("kueue.x-k8s.io", "workloads", "list", "why a queue holds a job"),
    ("", "nodes", "list", "how much the nodes have"),
)


async def missing(client: Client, rights: Sequence[Right]) -> list[Right]:
    """Return the rights that the API server says we have not."""

    async def is_missing(right: Right) -> bool:
        group, resource, verb, _ = right
        name, _, sub = resource.partition("/")
        attributes: dict[str, Any] = {"group": group, "resource": name, "verb": verb}
        if sub:
            attributes["subresource"] = sub
        if resource != "nodes":
            attributes["namespace"] = client.namespace
        review = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": attributes},
        }
        path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
        try:
            answer = await client.request("POST", path, review)
        except ApiError:  # we may not even ask: what fails will say so
            return False
        return not answer["status"].get("allowed")

    found = await asyncio.gather(*(is_missing(right) for right in rights))
    return [right for right, lacks in zip(rights, found) if lacks]


def as_text(rights: Sequence[Right]) -> str:
    """Return ``create jobs.batch, get and create pods/exec`` for people."""
    verbs: dict[str, list[str]] = {}
    for group, resource, verb, _ in rights:
        verbs.setdefault(f"{resource}.{group}" if group else resource, []).append(verb)
    return ", ".join(f"{' and '.join(v)} {resource}" for resource, v in verbs.items())


def role(namespace: str) -> dict[str, Any]:
    """Return the Role that has what is needed and no more."""
    rules: dict[tuple[str, str], list[str]] = {}
    for group, resource, verb, _ in (*NEEDED, HELPFUL[0]):
        rules.setdefault((group, resource), []).append(verb)
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "Role",
        "metadata": {"name": "jupyter-hpc", "namespace": namespace},
        "rules": [
            {"apiGroups": [group], "resources": [resource], "verbs": verbs}
            for (group, resource), verbs in rules.items()
        ],
    }

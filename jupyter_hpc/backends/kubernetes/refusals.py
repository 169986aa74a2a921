"""What the API server's refusals mean, and what to do."""

from __future__ import annotations

import re

from .client import ApiError

# who refuses by rules of the cluster's own
POLICY = re.compile(r"admission webhook|ValidatingAdmissionPolicy|violates PodSecurity")


def refusal(error: ApiError) -> tuple[str, str]:
    """Return what the API server's refusal means, and what to do."""
    said = " ".join(error.message.split())
    if error.status == 401:
        return (
            "the cluster doesn't know who you are: the token is missing, wrong or has expired",
            "Log in again as your cluster wants it (`kubectl auth whoami` says whether that worked).",
        )
    forbidden = re.search(
        r'User "([^"]+)" cannot (\S+) resource "([^"]+)" in API group "([^"]*)"(?: in the namespace "([^"]+)")?', said
    )
    if error.status == 403 and forbidden:
        user, verb, resource, group, namespace = forbidden.groups()
        where = f" in namespace {namespace}" if namespace else ""
        of = f"{resource}.{group}" if group else resource
        return (
            f"{user} may not {verb} {of}{where}",
            "Ask for the Role in docs/kubernetes.md; `%hpc doctor` lists every right that is missing.",
        )
    if error.status == 403 and "exceeded quota" in said:
        return f"a quota of the namespace refuses it: {said}", "Remove jobs that have ended, or ask for more."
    if POLICY.search(said):
        return f"the cluster's policy refuses it: {said}", "--patch changes fields of the pod."
    if error.status == 404 and "namespaces" in said:
        return said, "Set `namespace` of the target to one that exists."
    return said, ""

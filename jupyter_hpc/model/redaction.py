"""What looks like a secret never gets into a record: its place shows a mark instead."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from .redaction_of_code import MARK, values_redacted
from .secret_forms import KNOWN

_NAME = (
    r"(?:token|secret|passw(?:or)?d|passwd|passphrase|pwd|api_?key|access_?key|account_?key|private_?key"
    r"|signing_?key|encryption_?key|credentials?|auth(?:orization)?|cookie|session_?key|dsn"
    r"|connection_?string|webhook|licen[cs]e_?key|sas)"
)
SECRET_NAME = rf"(?:^|[_\-.]|(?<=[a-z])){_NAME}(?:$|[_\-.\d])"
_SECRET_NAME = re.compile(SECRET_NAME, re.IGNORECASE)
_IN_URL = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.\-]{0,30}://)[^\s/@\"'?#]+@")
_BEARER = re.compile(r"(?i)\b(bearer|basic)\s+[A-Za-z0-9+/_\-.=]{16,}")
_PLAIN = r"\"[^\"]*\"|'[^']*'|[^\s\"',;&}\]]+"
_ASSIGNED = re.compile(
    rf"(?P<key>[\"']?\b[\w\-.]*?{_NAME}(?:[_\-.]\w+|\d+)?[\"']?\s*(?:=|:)\s*)(?P<value>{_PLAIN})",
    re.IGNORECASE,
)
_FLAG = re.compile(rf"(?P<key>--[\w\-]*?{_NAME}[\s=]+)(?P<value>{_PLAIN})", re.IGNORECASE)
_PAIR = re.compile(  # a variable of a pod: {name: X_TOKEN, value: …}
    rf"(?P<key>[\"']?name[\"']?\s*:\s*[\"']?[\w\-.]*?{_NAME}[\w\-.]*[\"']?\s*,?\s*[\"']?value[\"']?\s*:\s*)"
    rf"(?P<value>{_PLAIN})",
    re.IGNORECASE,
)


def is_secret(name: str, value: str) -> bool:
    """Whether a variable's name says that it holds a secret, or its value looks like one."""
    return bool(_SECRET_NAME.search(name)) or redacted(value) != value


def redacted(text: str) -> str:
    """Return a text with a mark in the place of each token, key, password and credential in it.

    For settings and addresses, where any value may be written without quotes; code has `code_redacted`.
    """
    text = tokens_redacted(text)
    for pattern in (_PAIR, _FLAG, _ASSIGNED):
        text = pattern.sub(lambda m: m["key"] + (m["value"] if MARK in m[0] else MARK), text)
    return text


def tokens_redacted(text: str) -> str:
    """The same for what is a secret by its own form, whatever its name: fit for code, too."""
    text = KNOWN.sub(MARK, text)
    text = _IN_URL.sub(lambda m: m["scheme"], text)
    return _BEARER.sub(lambda m: f"{m[1]} {MARK}", text)


def code_redacted(text: str) -> str:
    """The same for code, diffs and configuration, where values that are no secret must stay what they are."""
    return values_redacted(tokens_redacted(text))


def all_redacted(record: Any) -> Any:
    """Return a record (JSON) with every text in it redacted; the value of a key that names a secret goes."""
    if isinstance(record, str):
        return redacted(record)
    if isinstance(record, Mapping):
        return {
            k: MARK if isinstance(v, str) and v and _SECRET_NAME.search(str(k)) else all_redacted(v)
            for k, v in record.items()
        }
    if isinstance(record, (list, tuple)):
        return [all_redacted(each) for each in record]
    return record


def without_credentials(url: str | None) -> str | None:
    """``https://user:token@host/x?token=y`` → ``https://host/x``; ``git@host:x`` stays."""
    if not url:
        return url
    text = _IN_URL.sub(lambda m: m["scheme"], url)
    if "://" in text:
        text = text.partition("?")[0]
    return tokens_redacted(text)

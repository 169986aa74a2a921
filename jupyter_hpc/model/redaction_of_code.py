"""Secrets that somebody wrote into code, a diff or a configuration: literals that a name says are one.

Expressions stay (``password = getpass()``), and so does what only sounds like a secret (``sort_key="name"``,
``pad_token="[PAD]"``): passwords and the like go whatever they are; tokens, which machines make up, unless they are
words; of names that say no more than *key*, what no person would write.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from math import log2

MARK = "[redacted: looks like a secret]"

_CHOSEN = (  # by people, so they may look like anything
    r"secret|passw(?:or)?d|passwd|passphrase|pwd|pw|credentials?|connection[_\-]?string"
    r"|(?:db|database|user|root|admin|smtp|ftp|mail|key)[_\-]?pass"
    r"|(?:api|access|account|private|secret|signing|encryption|session|licen[cs]e)[_\-]?key"
)
_MADE = r"token|auth(?:orization)?|cookie|webhook|sas|dsn"  # by machines
_ABOUT = (  # says something of a secret, and isn't it
    r"[_\-.]?(?:names?|field|column|col|file|filename|path|dir|folder|ur[il]|endpoint|type|kind|method|mode|label|title|ids?"
    r"|length|len|size|count|limit|prompt|help|expiry|ttl|class|policy|provider|header|prefix|scheme|ref)"
)
_BEGIN = r"(?:^|[_\-.]|(?<=[a-z]))"
_IS_CHOSEN = re.compile(rf"{_BEGIN}(?:{_CHOSEN})(?:$|[_\-.\d])", re.IGNORECASE)
_IS_MADE = re.compile(rf"{_BEGIN}(?:{_MADE})(?:$|[_\-.\d])", re.IGNORECASE)
_IS_ABOUT = re.compile(rf"(?:[_\-.]|(?<=[a-z])){_ABOUT}$", re.IGNORECASE)
_IS_KEY = re.compile(r"(?:^|[_\-.])key\d*$|[a-z]Key\d*$", re.IGNORECASE)
_OF_TEXT = re.compile(  # tokens of a language model
    r"(?:^|[_\-.])(?:pad|eos|bos|sep|cls|unk|mask|special|stop|next|prev|first|last|start|end|image|audio)_?token",
    re.IGNORECASE,
)
_IDENTIFIER = re.compile(r"[A-Za-z]*\d*(?:[_\-./: ]+[A-Za-z]*\d*)*")
_MOST_OF_A_NAME = 60

_TEXT = (
    r"(?:[rRbBuUfF]{1,2})?(?:\"\"\"(?:\\.|[^\\]){0,20000}?\"\"\"|'''(?:\\.|[^\\]){0,20000}?'''"
    r"|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*')"
)
_HAS = rf"(?=\w*(?:{_CHOSEN}|{_MADE}|key))"
_KIND = r"[\w.]+(?:\[[^\]\n=]{0,200}\])?"
# name = "…", name: str = "…", "name": "…", ["name"] = "…", name == "…"; several literals in a row are one
_ASSIGNED = re.compile(
    rf"(?P<key>(?<!\w)(?<!looks like a ){_HAS}(?P<name>\w+)\b[\"'`]?\]?"
    rf"(?:[ \t]*:[ \t]*{_KIND}(?:[ \t]*\|[ \t]*{_KIND})*[ \t]*=|[ \t]*(?::=|[=!]=|=>|=|:))"
    rf"[ \t]*(?P<open>[(\\][\s(\\+\-]*)?)"
    rf"(?P<value>{_TEXT}(?:(?(open)[\s\\+\-]*|[ \t+]*(?:\\\n[ \t+\-]*)?){_TEXT})*)",
    re.IGNORECASE | re.DOTALL,
)
_CALLED = re.compile(
    rf"(?P<key>\b(?:setdefault|setenv|putenv|setattr)\([\w.\s,]{{0,80}}[\"'](?P<name>\w+)[\"']\s*,\s*)(?P<value>{_TEXT})",
    re.DOTALL,
)
_SEVERAL = re.compile(  # user, password = "…", "…"
    r"(?P<names>(?<![\w,])\w+(?:[ \t]*,[ \t]*\w+){1,8})"
    rf"[ \t]*=[ \t]*\(?{_TEXT}(?:[ \t]*,[ \t]*{_TEXT}){{1,8}}",
    re.DOTALL,
)
_ONE_TEXT = re.compile(_TEXT, re.DOTALL)
_LINE = r"^(?P<key>[+\- ]?[ \t]*(?:-[ \t]+)?"
_REST = r"(?P<rest>[ \t]*(?:#[^\n]*)?)$"
_SET = re.compile(  # of a shell, or IPython's %env
    _LINE + r"[!%]?(?:export|env|set_env|set|setenv)[ \t]+(?P<name>[\w.\-]+)[= \t][ \t]*)"
    r"(?P<value>[^\s\"'()\[\]{}$<]+)" + _REST,
    re.MULTILINE,
)
_VARIABLE = re.compile(_LINE + r"(?P<name>[A-Z][A-Z\d_.\-]*)=)(?P<value>[^\s\"'()\[\]{}$<,]+)" + _REST, re.MULTILINE)
_ENTRY = re.compile(
    _LINE + r"[\"']?(?P<name>[\w.\-]+)[\"']?:[ \t]+)(?P<value>[^\s\"'()\[\]{}$<|,&*]+)" + _REST, re.MULTILINE
)
_FLAG = re.compile(
    r"(?P<key>(?<![\w\-])--(?P<name>[\w\-]{1,60})(?:=|[ \t]+))(?P<value>[^\s\"',;&|{}$<\-\[][^\s\"',;&|)]*)"
)
_ASKED = re.compile(r"(?P<key>[?&](?P<name>[\w\-]{1,60})=)(?P<value>[^&\s\"'#{}<>\[]+)")
_ELEMENT = re.compile(r"(?P<key><(?P<name>[\w.\-]{1,60})>)(?P<value>[^<>\s{}\[]+)(?=</)")
_TYPES = {"str", "bytes", "int", "float", "bool", "object", "string", "null", "none", "true", "false", "any", "~"}


def values_redacted(text: str) -> str:
    """Return code, a diff or a configuration with a mark in the place of each value that its name says is a secret."""
    text = _ASSIGNED.sub(_literal, text)
    text = _CALLED.sub(_literal, text)
    text = _SEVERAL.sub(_literals, text)
    for pattern, stays in _BARE:
        text = pattern.sub(lambda found, stays=stays: _bare(found, stays), text)  # type: ignore[misc]
    return text


def says_secret(name: str, value: str) -> bool:
    """Tell whether the name of a value that is written out says that it is a secret."""
    value = value.strip()
    if not value or MARK in value:
        return False
    if _IS_ABOUT.search(name) or _OF_TEXT.search(name):
        return _is_made_up(value)
    if _IS_CHOSEN.search(name):
        return True
    if _IS_MADE.search(name):
        value = re.sub(r"(?i)^(?:bearer|basic|token)\s+", "", value)
        is_word = value.isalpha() or re.search(r"\s", value) or re.fullmatch(r"[<\[].*[>\]]", value)
        return len(value) >= 6 and not is_word
    return bool(_IS_KEY.search(name)) and _is_made_up(value)


def _is_made_up(value: str) -> bool:
    """Tell whether nobody would have written this: letters and digits mixed, no words, few repetitions."""
    if len(value) < 16 or re.search(r"\s", value) or _IDENTIFIER.fullmatch(value):
        return False
    counts = Counter(value).values()
    return any(c.isdigit() for c in value) and -sum(n / len(value) * log2(n / len(value)) for n in counts) > 3


def _whole_name(found: re.Match[str]) -> str:
    """Return a name with what stands before it, as in ``X-Auth-Token``."""
    start = found.start("name")
    before = re.search(r"[\w\-.]*\Z", found.string[max(0, start - _MOST_OF_A_NAME) : start])
    return (before[0] if before else "") + found["name"][-_MOST_OF_A_NAME:]


def _content(literal: str) -> str:
    """Return what a literal holds, without what an f-string fills in."""
    begin = len(literal) - len(literal.lstrip("rRbBuUfF"))
    inner = literal[begin:].strip(literal[-1])
    return re.sub(r"\{[^{}]*\}", "", inner) if "f" in literal[:begin].lower() else inner


def _marked(literal: str) -> str:
    begin = len(literal) - len(literal.lstrip("rRbBuUfF"))
    return f"{literal[:begin]}{literal[-1]}{MARK}{literal[-1]}"


def _literal(found: re.Match[str]) -> str:
    literals = _ONE_TEXT.findall(found["value"])
    if not says_secret(_whole_name(found), "".join(map(_content, literals))):
        return found[0]
    return found["key"] + _marked(literals[0])


def _literals(found: re.Match[str]) -> str:
    names = re.split(r"[ \t]*,[ \t]*", found["names"])
    values = found[0][len(found["names"]) :]
    literals = _ONE_TEXT.findall(values)
    if len(names) != len(literals):
        return found[0]
    secret = iter([says_secret(name, _content(each)) for name, each in zip(names, literals)])
    return found["names"] + _ONE_TEXT.sub(lambda each: _marked(each[0]) if next(secret) else each[0], values)


def _bare(found: re.Match[str], stays: Callable[[str], object]) -> str:
    value = found["value"]
    if stays(value) or value.lower() in _TYPES or not says_secret(found["name"], value):
        return found[0]
    return found["key"] + MARK + (found.groupdict().get("rest") or "")


def _is_placeholder(value: str) -> bool:
    return value.isupper() and value.isalpha()


_BARE: tuple[tuple[re.Pattern[str], Callable[[str], object]], ...] = (
    (_SET, _is_placeholder),
    (_VARIABLE, _is_placeholder),
    (_ENTRY, re.compile(r"[A-Z][A-Za-z]*|[A-Za-z_]\w*\.[\w.]+").fullmatch),  # a type
    (_FLAG, str.isalpha),
    (_ASKED, _is_placeholder),
    (_ELEMENT, _is_placeholder),
)

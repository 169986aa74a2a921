"""What lines of text tell in numbers: ``loss=0.31``, ``epoch 3/40 - loss: 0.31 - val_loss: 0.4``, a bar's postfix.

Only clear forms: a time, a path, a version, the repr of an object, a traceback tell none. Every pattern is bounded,
so that no line takes long.
"""

from __future__ import annotations

import re
from functools import lru_cache

TYPE_CHECKING = False  # a start without typing is faster
if TYPE_CHECKING:
    from typing import Dict, Iterator, List, Optional, Tuple

    Point = Tuple[Dict[str, float], Optional[float], str]  # values by name, where they are, what that counts
    Counts = Dict[str, Tuple[float, Optional[float]]]  # by kind: how far, of how many

MOST_HELD = 200  # names that nobody knows
LONGEST_LINE = 600
_FEW = 1000  # names that lines have again and again
_NUMBER = r"[-+]?(?:(?:\d{1,30}(?:\.\d{0,30})?|\.\d{1,30})(?:[eE][-+]?\d{1,4})?|nan|inf|NaN|Inf(?:inity)?)"
_NO_MORE = r"(?![\w:/\\]|[.,-]\d|\.\w)"  # a time, a date, a version, a path, thousands, a unit
_WORD = r"[^\W\d][\w/@.-]{0,40}"
_PAIR = re.compile(rf"(?<![\w/\\.&?=:@$%-])((?:{_WORD} ){{0,2}}{_WORD})( ?= ?| ?: ?)({_NUMBER}){_NO_MORE}")
_SPOKEN = re.compile(
    rf"(?<![\w/\\.&?=:@$%-])((?:{_WORD} ){{0,2}}{_WORD}) ([-+]?\d{{0,30}}\.\d{{1,30}}(?:[eE][-+]?\d{{1,4}})?){_NO_MORE}"
)
_ITEM = re.compile(rf"(?<=[{{,\s])(['\"])([^'\"]{{1,64}})\1: ?(['\"]?)({_NUMBER})\3(?=[,}}])")
_COUNT = re.compile(
    r"(?<![\w/.-])(epochs?|steps?|global_step|iter(?:ation)?s?|episodes?|rounds?|batch(?:es)?|generations?|[ijknt](?==))"
    r"[ \t]{0,3}[:=#]?[ \t]{0,3}[\[(]?[ \t]{0,3}(\d{1,12}(?:\.\d{1,6})?)"
    r"(?:[ \t]?(?:/|of)[ \t]?(\d{1,12}))?(?![\w%]|[.,:-]\d)",
    re.IGNORECASE,
)
_BAR = re.compile(
    r"(?:(\d{1,12})/(\d{1,12}) ?)?"
    r"\[\d{1,4}:\d\d[^\[\],]{0,30},[^\[\],/]{0,20}/[^\[\],/]{0,20}((?:,[^\[\],]{0,80}){0,20})\]"
)
_KERAS = re.compile(r"[ \t]{0,8}(\d{1,12})/(\d{1,12}) {1,4}(?:\[[=>.]{1,100}\]|[━╸╺─]{1,100})")
_CALL = re.compile(r"(?<=\w)[(\[][^()\[\]]*[)\]]|<[A-Za-z][^<>]*>")
_WRAPPED = re.compile(rf"\b(?:tensor|array|np\.float\d\d|np\.int\d\d)\(({_NUMBER})(?:, [\w=':., ]{{0,60}})?\)")
_COLOUR = re.compile(r"\x1b\[[0-9;?]{0,30}[A-Za-z]")
_SPLIT = re.compile(r"[\W_]+")
_NOT_PRINTED = ("Traceback (most", "---->", "ipdb>", "(Pdb)", ">>>")
_ERRORS = ("Error", "Exception", "Warning", "Interrupt")
_NEVER = set(
    "time eta elapsed runtime second seconds date ts timestamp created pid port line version num id seed epoch epochs"
    " step steps".split()
)
_COUNTS = set("iter iters iteration iterations episode round batch generation i j k n t".split())
_BEFORE = set(
    "train training val valid validation test testing eval dev mean avg average best final running total learning"
    " squared absolute root grad gradient log".split()
)
_KNOWN = set(
    "loss losses acc accuracy auc f1 precision recall error err mse mae rmse mape r2 score reward return perplexity ppl"
    " bleu rouge iou miou map dice lr rate psnr ssim kl entropy elbo nll likelihood energy residual fid wer cer cost"
    " objective norm throughput".split()
)


class Lines:
    """What lines tell, one after the other."""

    def __init__(self) -> None:
        self._in_traceback = False
        self._epoch: Optional[Tuple[float, Optional[float]]] = None  # of the heading above
        self._held: Dict[str, Point] = {}  # a name that nobody knows, until it comes again
        self._bar: Optional[Point] = None

    def points(self, text: str, most: int) -> Iterator[Point]:
        """Yield the points that a piece of text has; where more than so many lines may have some, of a part of them."""
        text = text.replace("\r", "\n")
        is_plain = not (self._in_traceback or "\b" in text or any(sign in text for sign in _NOT_PRINTED))
        lines = [line for line in text.split("\n") if _has_sign(line)] if is_plain else list(self._promising(text))
        for line in lines[:: max(-(-len(lines) // most), 1)]:
            point = self._point(line)
            if point is not None:
                yield from self._earlier(point)
                yield point

    def _promising(self, text: str) -> Iterator[str]:
        """Yield the lines that may tell a number; one that is drawn over others is a line of its own."""
        for line in text.split("\n"):
            if self._in_traceback:
                self._in_traceback = line[:1] in (" ", "", "|", "+")
                continue
            line = line.rstrip("\b").rpartition("\b")[2]
            if line.startswith(_NOT_PRINTED):
                self._in_traceback = line.startswith(_NOT_PRINTED[0])
            elif _has_sign(line):
                yield line

    def _point(self, line: str) -> Optional[Point]:
        if "\x1b" in line:
            line = _COLOUR.sub("", line)
        if line[:1] == "{" and line.rstrip()[-1:] == "}":
            return self._of_dict(line)
        bar = _bar(line) if "[" in line or "/" in line else None
        if bar is not None:
            return self._of_bar(line, bar)
        if "(" in line or "<" in line or "[" in line:
            line = _CALL.sub(" ", _unwrapped(line))
        counts, pairs = _counts(line), _pairs(line)
        if counts and not pairs:
            pairs = [(_name(words), True, number) for words, number in _SPOKEN.findall(line) if _is_known(words)]
        if "epoch" in counts and not pairs:
            self._epoch = counts["epoch"]
        return self._kept(pairs, counts, None)

    def _of_dict(self, line: str) -> Optional[Point]:
        items = [(name, number) for _, name, _, number in _ITEM.findall(_unwrapped(line))]
        counts: Counts = {}
        for name, number in items:
            if name in ("epoch", "step", "global_step"):
                counts[name] = float(number), None
        return self._kept([(name, True, number) for name, number in items], counts, None)

    def _of_bar(self, line: str, bar: re.Match[str]) -> Optional[Point]:
        """Return what stands behind a bar: of tqdm inside its brackets, of Keras after it."""
        is_tqdm = bar.re is _BAR
        part = int(bar[1]) / int(bar[2]) if bar[1] and int(bar[2]) else None
        point = self._kept(
            _pairs(bar[3] if is_tqdm else line[bar.end() :]), _counts(line[: bar.start()] if is_tqdm else ""), part
        )
        if point == self._bar:  # it was drawn again
            return None
        self._bar = point
        return point

    def _kept(
        self,
        pairs: List[Tuple[str, bool, str]],
        counts: Counts,
        part: Optional[float],
    ) -> Optional[Point]:
        """Return the pairs that are measurements."""
        found = {name: (is_sure, float(number)) for name, is_sure, number in pairs if _may_be(name)}
        if not found:
            return None
        at, by = self._place(counts, part)
        point = {name: value for name, (_, value) in found.items()}, at, by
        if len(found) > 1 or counts or part is not None or _is_known(next(iter(found))):
            return point
        name, (is_sure, _) = next(iter(found.items()))
        if name in self._held:
            return point
        if is_sure and len(self._held) < MOST_HELD:
            self._held[name] = point
        return None

    def _earlier(self, point: Point) -> Iterator[Point]:
        """Yield what was held of a name until it came again; it is told once."""
        for name in point[0]:
            held = self._held.get(name)
            if held is not None and held[0]:
                self._held[name] = ({}, None, "")
                yield held

    def _place(self, counts: Counts, part: Optional[float]) -> Tuple[Optional[float], str]:
        """Return where a point is, and by what that is counted."""
        epoch = counts.get("epoch", self._epoch)
        inner = next((c for kind, c in counts.items() if kind != "epoch"), None)
        if part is None and epoch is not None and inner is not None and inner[1]:
            part = inner[0] / inner[1]
        if epoch is not None and (inner is None or part is not None):
            number, total = epoch
            return (number if part is None else number + part - (1 if total and number >= 1 else 0)), "epoch"
        if inner is not None:
            return inner[0], next(kind for kind in counts if kind != "epoch")
        return None, ""


def _has_sign(line: str) -> bool:
    return 2 < len(line) <= LONGEST_LINE and ("=" in line or ":" in line or "poch" in line or "POCH" in line)


def _bar(line: str) -> Optional[re.Match[str]]:
    """Return the bar of a line; of several that stand beside each other, the first that tells something."""
    bars = list(_BAR.finditer(line))
    return next((bar for bar in bars if bar[3]), bars[0] if bars else None) or _KERAS.match(line)


def _counts(line: str) -> Counts:
    """Return how far a line says that it is: ``epoch 3/40``, ``step=300``."""
    found: Counts = {}
    for word, number, total in _COUNT.findall(line):
        word = word.lower()
        kind = {"batches": "batch", "iter": "iteration", "iters": "iteration"}.get(word) or word.rstrip("s")
        found[kind] = float(number), float(total) or None if total else None
    return found


def _pairs(line: str) -> List[Tuple[str, bool, str]]:
    """Return names with numbers, and whether an equals sign is between; ``host:8080`` is a pair of words."""
    found = [(_name(words), sign, number) for words, sign, number in _PAIR.findall(line)]
    return [(name, "=" in sign, number) for name, sign, number in found if sign != ":" or _is_known(name)]


def _unwrapped(line: str) -> str:
    return _WRAPPED.sub(r"\1", line) if "(" in line else line


@lru_cache(_FEW)
def _name(words: str) -> str:
    """Return what a number is called: the last word, with those before it that say of what."""
    *before, last = words.split(" ")
    while before and any(word.lower() not in _BEFORE for word in before):
        before.pop(0)
    return " ".join([*before, last])


@lru_cache(_FEW)
def _may_be(name: str) -> bool:
    last = name.rpartition(" ")[2]
    if name.endswith(_ERRORS) and name[:1].isupper() and len(name) > 7:
        return False
    return last.lower() not in _COUNTS and not _NEVER.intersection(_SPLIT.split(last.lower()))


@lru_cache(_FEW)
def _is_known(name: str) -> bool:
    return not _KNOWN.isdisjoint(_SPLIT.split(name.lower()))

"""A lineage as a picture: data flows downwards, to the result at the end; dashed where it only may."""

from __future__ import annotations

import html as markup
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from ...model.printable import printable
from ..ask.graph import Link, Node
from .text import MOST_NODES, ordered, title_of

if TYPE_CHECKING:
    from .view import Lineage

_WIDTH, _HEIGHT, _GAP_X, _GAP_Y, _EDGE = 210, 46, 24, 52, 12
_LETTER, _LONGEST = 7, 32  # about how wide one is, and how many a box holds
_DETOUR = 24  # how far right of the boxes a link passes that skips a row
_GOOD, _FAILED = "var(--jp-success-color1, #2e7d32)", "var(--jp-error-color1, #c62828)"
_COLOURS = {
    "run": "var(--jp-brand-color1, #1976d2)",
    "cell": "#7b8794",
    "gone": "#909090",
    "value": _GOOD,
    "file": _GOOD,
}
_ROOT = "<start>"
_HEAD = 6  # of an arrow
_BOLD = ' font-weight="600"'


def escape(text: str) -> str:
    """Return text from records, which may hold anything, for the picture."""
    return markup.escape(printable(text), quote=True)


def html(lineage: Lineage) -> str:
    """Return the picture, and the text folded away below it."""
    text = f"<details><summary>as text</summary><pre>{escape(lineage.text)}</pre></details>"
    marks = "".join(f"<div>⚠ stale: {escape(why)}</div>" for why in lineage.stale)
    return f'<div style="overflow:auto">{marks}{svg(lineage)}{text}</div>'


def svg(lineage: Lineage) -> str:
    """Return the picture as SVG."""
    drawn = picture(lineage)
    size = f'width="{drawn.width}" height="{drawn.height}" viewBox="0 0 {drawn.width} {drawn.height}"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-label="{escape(drawn.title)}" '
        f'font-family="var(--jp-ui-font-family, sans-serif)" font-size="11" fill="currentColor">'
        f"{''.join(map(_link_svg, drawn.links))}{''.join(map(_box_svg, drawn.boxes))}</svg>"
    )


@dataclass(frozen=True)
class Box:
    """One activity, or what was asked for.

    Attributes
    ----------
    run : str or None
        The run that it is, if it is one whose record is here.
    kind : str
        ``run``, ``failed``, ``cell``, ``gone``, or what was asked for: ``value``, ``file``.
    title : str
        All of it, for whoever points at it.
    """

    run: str | None
    kind: str
    x: int
    y: int
    lines: list[str]
    title: str
    width: int = _WIDTH
    height: int = _HEIGHT


@dataclass(frozen=True)
class Arrow:
    """A link from an activity to one that used what it made.

    Attributes
    ----------
    way, head : str
        The line and its end, as SVG's paths are written.
    x, y : int
        Where its names stand.
    may : bool
        It is known by a name alone.
    """

    way: str
    head: str
    x: int
    y: int
    names: str
    may: bool


@dataclass(frozen=True)
class Picture:
    """A lineage with a place for everything."""

    title: str
    width: int
    height: int
    boxes: list[Box]
    links: list[Arrow]

    def to_json(self) -> dict[str, Any]:
        """Return it for a front end, which draws it in its own colours."""
        return asdict(self)


def picture(lineage: Lineage) -> Picture:
    """Return where everything stands."""
    rows = _rows(lineage)
    width = max(len(row) * (_WIDTH + _GAP_X) - _GAP_X for row in rows)
    places: dict[str, tuple[int, int]] = {}
    for y, row in enumerate(reversed(rows)):
        left = (width - len(row) * (_WIDTH + _GAP_X) + _GAP_X) // 2
        for x, ident in enumerate(row):
            places[ident] = (_EDGE + left + x * (_WIDTH + _GAP_X), _EDGE + y * (_HEIGHT + _GAP_Y))
    width += 2 * _EDGE
    height = 2 * _EDGE + len(rows) * (_HEIGHT + _GAP_Y) - _GAP_Y
    asked = Link(_ROOT, lineage.start.run_id, (), "")
    links = [link for link in (asked, *lineage.graph.links) if {link.child, link.parent} <= places.keys()]
    links.sort(key=lambda link: (_skips(link, places), places[link.parent]))
    arrows, right = [], width + (_DETOUR if any(_skips(link, places) for link in links) else 0)
    for child in dict.fromkeys(link.child for link in links):
        into = [link for link in links if link.child == child]
        arrows += [_link(link, places, i, len(into), width) for i, link in enumerate(into)]
        last = places[child][0] + _WIDTH * len(into) // (len(into) + 1)
        right = max(right, last + 6 + _LETTER * len(_names(into[-1])))
    boxes = [_box(lineage, ident, *place) for ident, place in places.items()]
    return Picture(printable(f"lineage of {lineage.start.title}"), right, height, boxes, arrows)


def _rows(lineage: Lineage) -> list[list[str]]:
    """Return the nodes in rows: each as far from the result as its longest way there; at most `MOST_NODES`."""
    near, frontier = [lineage.start.run_id], [lineage.start.run_id]
    while frontier and len(near) < MOST_NODES:
        parents = [link.parent for ident in frontier for link in ordered(lineage.graph, ident)]
        frontier = [p for p in dict.fromkeys(parents) if p not in near]
        near += frontier
    shown = set(near[:MOST_NODES])
    far = dict.fromkeys(shown, 1)
    links = [link for link in lineage.graph.links if {link.child, link.parent} <= shown]
    for _ in range(len(shown)):  # a cycle, which no honest record has, ends this too
        moved = False
        for link in links:
            if far[link.parent] <= far[link.child] < len(shown):
                far[link.parent], moved = far[link.child] + 1, True
        if not moved:
            break
    rows: list[list[str]] = [[] for _ in range(max(far.values()) + 1)]
    rows[0] = [] if lineage.start.kind == "run" else [_ROOT]  # a run that is asked for is a box itself
    for ident in sorted(shown, key=lambda i: lineage.graph.nodes[i].row.get("created") or 0):
        rows[far[ident]].append(ident)
    return [row for row in rows if row]


def _skips(link: Link, places: dict[str, tuple[int, int]]) -> bool:
    return places[link.child][1] - places[link.parent][1] > _HEIGHT + _GAP_Y


def _names(link: Link) -> str:
    return (", ".join(link.names[:3]) + (" …" if len(link.names) > 3 else ""))[:24]


def _link(link: Link, places: dict[str, tuple[int, int]], which: int, count: int, right: int) -> Arrow:
    """Place one of the links into a box, its names beside its end; one that skips a row passes at the right."""
    (x1, y1), (x2, y2) = places[link.parent], places[link.child]
    apart = _WIDTH // (count + 1)
    x1, y1, x2 = x1 + _WIDTH // 2, y1 + _HEIGHT, x2 + apart * (which + 1)
    end = y2 - _HEAD
    if _skips(link, places):
        above, below = y1 + _GAP_Y, y2 - _GAP_Y
        way = f"M{x1} {y1} C{x1} {above} {right} {y1} {right} {above} V{below} C{right} {y2} {x2} {below} {x2} {end}"
    else:
        middle = (y1 + y2) // 2
        way = f"M{x1} {y1} C{x1} {middle} {x2} {middle} {x2} {end}"
    names = _names(link)
    fits = len(names) * _LETTER < apart or which == count - 1
    low = y2 - 6 - (0 if fits else 12 * (count - 1 - which))  # else they stand above each other
    head = f"M{x2 - 4} {end - 1} L{x2} {y2 - 1} L{x2 + 4} {end - 1} Z"
    return Arrow(way, head, x2 + 8, low, printable(names), link.via in ("cells", "name", "path"))


def _link_svg(arrow: Arrow) -> str:
    dash = ' stroke-dasharray="4 3"' if arrow.may else ""
    return (
        f'<path d="{arrow.way}" fill="none" stroke="currentColor" opacity=".5"{dash}/>'
        f'<path d="{arrow.head}" opacity=".6"/>'
        f'<text x="{arrow.x}" y="{arrow.y}" opacity=".75">{escape(arrow.names)}</text>'
    )


def _box(lineage: Lineage, ident: str, x: int, y: int) -> Box:
    run = None
    if ident == _ROOT:
        start = lineage.start
        kind, lines, title = start.kind, [start.title, (start.digest or "")[:24]], start.title
    else:
        node = lineage.graph.nodes[ident]
        kind, lines, title = node.kind, _lines(node), title_of(node, lineage.details.get(ident))
        title = "\n".join(filter(None, (title, lineage.cells.get(ident, "")[:2000])))
        run = ident if kind == "run" else None
        if node.row.get("state") not in ("COMPLETED", None):
            kind = "failed"
    return Box(run, kind, x, y, [printable(line[:_LONGEST]) for line in lines], printable(title))


def _box_svg(box: Box) -> str:
    colour = _COLOURS.get(box.kind, _FAILED)
    words = "".join(
        f'<text x="{box.x + 9}" y="{box.y + 18 + 16 * i}"{_BOLD if not i else ""}>{escape(line)}</text>'
        for i, line in enumerate(box.lines)
    )
    return (
        f'<g><title>{escape(box.title)}</title><rect x="{box.x}" y="{box.y}" width="{box.width}" '
        f'height="{box.height}" rx="5" style="fill:{colour};fill-opacity:.12;stroke:{colour}"/>{words}</g>'
    )


def _lines(node: Node) -> list[str]:
    row = node.row
    if node.kind == "gone":
        return [f"run {node.id}", "its record is gone"]
    if node.kind == "cell":
        count = f"{1 + len(node.folded)} local cells" if node.folded else f"In [{row.get('exec_count')}]"
        return [count, str(row.get("label") or "")]
    job = str(row.get("native_id") or "").partition(".")[0]
    node_words = f" on {row['node']}" if row.get("node") else ""
    ran = f"{row.get('target')} {job}".strip() + node_words
    if len(ran) > _LONGEST:  # a Job's name in Kubernetes; the title has it
        ran = f"{row.get('target')}{node_words}"
    return [str(row.get("name") or row.get("label") or node.id), ran]

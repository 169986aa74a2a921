"""A lineage as a picture: data flows downwards, to the result at the end; dashed where it only may."""

from __future__ import annotations

import html as markup
from typing import TYPE_CHECKING

from ...model.printable import printable
from ..ask.graph import Link, Node
from .text import MOST_NODES, ordered, title_of

if TYPE_CHECKING:
    from .view import Lineage

_WIDTH, _HEIGHT, _GAP_X, _GAP_Y, _EDGE = 210, 46, 24, 52, 12
_LETTER, _LONGEST = 7, 32  # about how wide one is, and how many a box holds
_DETOUR = 24  # how far right of the boxes a link passes that skips a row
_COLOURS = {"run": "#1976d2", "cell": "#7b8794", "gone": "#b0b0b0", "value": "#2e7d32", "file": "#2e7d32"}
_FAILED = "#c62828"
_ROOT = "<start>"


def escape(text: str) -> str:
    """Return text from records, which may hold anything, for the picture."""
    return markup.escape(printable(text), quote=True)


def html(lineage: Lineage) -> str:
    """Return the picture, and the text folded away below it."""
    text = f"<details><summary>as text</summary><pre>{escape(lineage.text)}</pre></details>"
    marks = "".join(f"<div>⚠ stale: {escape(why)}</div>" for why in lineage.stale)
    return f'<div style="overflow:auto">{marks}{svg(lineage)}{text}</div>'


def svg(lineage: Lineage) -> str:
    """Return the picture."""
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
    parts, right = [], width + (_DETOUR if any(_skips(link, places) for link in links) else 0)
    for child in dict.fromkeys(link.child for link in links):
        into = [link for link in links if link.child == child]
        parts += [_link(link, places, i, len(into), width) for i, link in enumerate(into)]
        last = places[child][0] + _WIDTH * len(into) // (len(into) + 1)
        right = max(right, last + 6 + _LETTER * len(_names(into[-1])))
    width = right
    parts += [_box(lineage, ident, *place) for ident, place in places.items()]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
        f'role="img" aria-label="lineage of {escape(lineage.start.title)}" '
        f'font-family="var(--jp-ui-font-family, sans-serif)" font-size="11" fill="currentColor">{"".join(parts)}</svg>'
    )


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


def _link(link: Link, places: dict[str, tuple[int, int]], which: int, count: int, right: int) -> str:
    """Draw one of the links into a box, with its names beside its end; one that skips a row passes at the right."""
    (x1, y1), (x2, y2) = places[link.parent], places[link.child]
    apart = _WIDTH // (count + 1)
    x1, y1, x2 = x1 + _WIDTH // 2, y1 + _HEIGHT, x2 + apart * (which + 1)
    if _skips(link, places):
        above, below = y1 + _GAP_Y, y2 - _GAP_Y
        way = f"M{x1} {y1} C{x1} {above} {right} {y1} {right} {above} V{below} C{right} {y2} {x2} {below} {x2} {y2}"
    else:
        middle = (y1 + y2) // 2
        way = f"M{x1} {y1} C{x1} {middle} {x2} {middle} {x2} {y2}"
    dash = ' stroke-dasharray="4 3"' if link.via in ("cells", "name", "path") else ""
    names = _names(link)
    fits = len(names) * _LETTER < apart or which == count - 1
    low = y2 - 6 - (0 if fits else 12 * (count - 1 - which))  # else they stand above each other
    label = f'<text x="{x2 + 6}" y="{low}" opacity=".75">{escape(names)}</text>'
    return f'<path d="{way}" fill="none" stroke="currentColor" opacity=".5"{dash}/>{label}'


def _box(lineage: Lineage, ident: str, x: int, y: int) -> str:
    if ident == _ROOT:
        start = lineage.start
        kind, lines, title = start.kind, [start.title, (start.digest or "")[:24]], start.title
    else:
        node = lineage.graph.nodes[ident]
        kind, lines, title = node.kind, _lines(node), title_of(node, lineage.details.get(ident))
        title = "\n".join(filter(None, (title, lineage.cells.get(ident, "")[:2000])))
        if node.row.get("state") not in ("COMPLETED", None):
            kind = "failed"
    colour = _COLOURS.get(kind, _FAILED)
    words = "".join(
        f'<text x="{x + 9}" y="{y + 18 + 16 * i}"{" font-weight=" + chr(34) + "600" + chr(34) if not i else ""}>'
        f"{escape(line[:_LONGEST])}</text>"
        for i, line in enumerate(lines)
    )
    return (
        f'<g><title>{escape(title)}</title><rect x="{x}" y="{y}" width="{_WIDTH}" height="{_HEIGHT}" rx="5" '
        f'fill="{colour}" fill-opacity=".12" stroke="{colour}"/>{words}</g>'
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

"""The preflight card: what would travel, and what would be submitted."""

from __future__ import annotations

import html
import shlex

from ..capture.environment.requirements import AUTO, Requirements
from ..model.printable import printable
from ..model.resources import format_size
from ..submission.preflight import Preflight
from ..views.style import BOX, PRE


def rows(plan: Preflight) -> list[tuple[str, str, str, str]]:
    """Return (name, type, size, why) for everything that travels."""
    return [(i.name, _type(i.type, i.detail), format_size(i.nbytes), i.why) for i in plan.payload.items]


def _type(name: str, detail: object) -> str:
    shape = detail.get("shape") if isinstance(detail, dict) else None
    return name.removeprefix("builtins.") + (f" {tuple(shape)}" if shape else "")


def summary(plan: Preflight) -> list[str]:
    """Return the lines above the table."""
    modules = plan.payload.modules
    lines = [
        f"Nothing was submitted. On {plan.target.name} ({plan.target.backend}): {plan.spec.resources.describe()}.",
        f"{len(plan.payload.items)} names travel, {format_size(plan.payload.nbytes)} in all; back come {_back(plan)}.",
    ]
    lines += [f"Can't travel, so this cell would be refused: {why}." for why in plan.payload.refused.values()]
    lines += plan.payload.lines
    if modules.files:
        lines.append(
            f"Local modules, frozen as they are now: {', '.join(modules.top_level)} ({format_size(modules.nbytes)})."
        )
        if modules.data:
            lines.append(f"Files beside them that they name: {', '.join(modules.data)}.")
    if modules.is_cut:
        lines.append("The folders on sys.path hold more modules than travel unasked: import in the cell what it needs.")
    lines += [f"{note}." for note in modules.notes]
    if plan.requirements is not None:
        lines += _environment(plan.requirements)
    lines += plan.submitted.notes
    if plan.expected:
        lines.append(plan.expected)
    if plan.scrubbed:
        lines.append(f"Not passed on from the allocation around this kernel: {', '.join(plan.scrubbed)}.")
    return lines


def _back(plan: Preflight) -> str:
    """Return what comes back, as far as it is known before: names of the cell, and whatever it changes."""
    names = ", ".join(plan.outputs)
    if plan.payload.manifest["cell"].get("all_new"):
        return f"{names}, and what the cell changes in place" if names else "what the cell binds and changes in place"
    return names or "no names"


def _environment(wanted: Requirements) -> list[str]:
    origin = "the kernel's own" if wanted.source == AUTO else f"from {wanted.source}"
    lines = [f"Environment of {len(wanted.lines)} packages, {origin}, built by the first job that asks for it."]
    return lines + [f"Not in it: {name} ({why})." for name, why in wanted.left_out.items()]


def preflight_text(plan: Preflight) -> str:
    """Return the card as plain text."""
    table = [("name", "type", "size", "why"), *rows(plan)]
    widths = [max(len(r[i]) for r in table) for i in range(3)]
    lines = ["  ".join([*(c.ljust(w) for c, w in zip(row, widths)), row[3]]) for row in table]
    return printable(
        "\n".join(
            [
                *summary(plan),
                "",
                *lines,
                "",
                shlex.join(plan.submitted.command),
                "",
                plan.submitted.script,
            ]
        )
    )


def preflight_html(plan: Preflight) -> str:
    """Return the card as HTML."""

    def escape(text: str) -> str:
        return html.escape(printable(text))

    head = "".join(f"<div>{escape(line)}</div>" for line in summary(plan))
    cells = "".join(
        "<tr>" + "".join(f'<td style="text-align:left">{escape(c)}</td>' for c in row) + "</tr>" for row in rows(plan)
    )
    table = f"<table><tr><th>name</th><th>type</th><th>size</th><th>why</th></tr>{cells}</table>" if cells else ""
    command = escape(shlex.join(plan.submitted.command))
    script = escape(plan.submitted.script)
    return (
        f'<div style="{BOX}">{head}{table}<details><summary>command and script</summary>'
        f'<pre style="{PRE}">{command}\n\n{script}</pre></details></div>'
    )

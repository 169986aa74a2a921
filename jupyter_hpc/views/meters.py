"""What a live job uses now, in words and small lines, and what stands idle. SVG without scripts."""

from __future__ import annotations

import html
from collections.abc import Sequence

from ..explain.use import cpu_rates, gpu_values, idle_words
from ..model.resources import Resources, format_size
from ..rundir.reader import RunReader
from .style import LIVE, QUIET, SMALL, SOFT, STEP_PX, TRACK

WIDTH, HEIGHT = 72, 16
MOST_POINTS = 48


def bar(part: float, label: str) -> str:
    """Return a bar; its words stand beside it or in its label, so colour says nothing alone."""
    filled = WIDTH * min(max(part, 0.0), 1.0)
    return _svg(
        label,
        f'<rect y="6" width="{WIDTH}" height="4" rx="2" fill="{TRACK}"/>'
        f'<rect y="6" width="{filled:.0f}" height="4" rx="2" style="fill:{LIVE}"/>',
    )


def spark(values: Sequence[float], most: float, label: str) -> str:
    """Return a small line; ``most`` is its upper edge."""
    step = -(-len(values) // MOST_POINTS) or 1
    shown = [max(values[i : i + step]) for i in range(0, len(values), step)]
    if len(shown) < 2:
        return ""
    top = max(most, *shown) or 1.0
    points = " ".join(
        f"{i * WIDTH / (len(shown) - 1):.0f},{HEIGHT - 1 - (HEIGHT - 2) * value / top:.0f}"
        for i, value in enumerate(shown)
    )
    return _svg(
        label,
        f'<path d="M0 {HEIGHT - 0.5}H{WIDTH}" stroke="{TRACK}"/>'
        f'<polyline points="{points}" fill="none" style="stroke:{LIVE}" stroke-width="1.5"/>',
    )


def _svg(label: str, inner: str) -> str:
    return (
        f'<svg role="img" aria-label="{html.escape(label)}" width="{WIDTH}" height="{HEIGHT}" '
        f'style="vertical-align:-3px">{inner}</svg>'
    )


def meters_html(reader: RunReader, asked: Resources) -> str:
    """Return what the job uses now as one line, and a sentence on gpus that it asked for and leaves idle."""
    meters = use_meters(reader, asked)
    if not meters:
        return ""
    row = f"display:flex;flex-wrap:wrap;gap:0 {4 * STEP_PX}px;font-size:{SMALL};font-variant-numeric:tabular-nums"
    idle = idle_words(reader.samples)
    sentence = f'<div style="{QUIET}">{html.escape(idle)}</div>' if idle else ""
    return f'<div style="{row}">{" ".join(meters)}</div>{sentence}'


def use_meters(reader: RunReader, asked: Resources) -> list[str]:
    """Return cpu, memory and gpus as they are now, each with a line of how they were."""
    samples = reader.samples
    if not samples:
        return []
    found = []
    if rates := cpu_rates(samples):
        count = asked.cpus or int((reader.started or {}).get("cpus") or 0)
        words = f"{rates[-1]:.1f}" + (f" of {count}" if count else "")
        found.append(_meter("cpu", words, spark(rates, count, "cpus in use over time")))
    memory = [float(sample["rss"]) for sample in samples]
    words = format_size(int(memory[-1]))
    words += f" of {format_size(asked.memory)}" if asked.memory else ""
    found.append(_meter("memory", words, spark(memory, float(asked.memory or 0), "memory in use over time")))
    gpus = [gpu_values(sample) for sample in samples]
    for i, now in enumerate(gpus[-1][:8]):
        words = f"{now.percent:.0f} %, {format_size(int(now.mib) << 20)} of {format_size(int(now.mib_total) << 20)}"
        line = spark([g[i].percent for g in gpus if i < len(g)], 100.0, f"gpu {i} over time, percent")
        found.append(_meter(f"gpu {i}", words, line))
    return found


def _meter(name: str, words: str, line: str) -> str:
    return (
        f'<span style="white-space:nowrap"><span style="color:{SOFT}">{name}</span> {html.escape(words)} {line}</span>'
    )

"""Bars and lines of a live job: its time, and what it uses now. SVG without scripts."""

from __future__ import annotations

import html
import time
from collections.abc import Sequence

from ..explain.use import cpu_rates, gpu_values
from ..model.resources import Resources, format_size, format_time
from ..rundir.reader import RunReader
from .style import LIVE, TRACK

WIDTH, HEIGHT = 72, 16
MOST_POINTS = 48


def time_bar(started_at: float, limit: float | None) -> str:
    """Return the time since the start, of a limit as a bar."""
    took = max(0.0, time.time() - started_at)
    took -= took % (1 if took < 600 else 10)  # what changes seldom is sent seldom
    if not limit:
        return f"<span>{html.escape(format_time(took) if took else '0 s')}</span>"
    words = f"{format_time(took) if took else '0 s'} of {format_time(limit)}"
    return bar(took / limit, f"time used: {words}") + f" <span>{html.escape(words)}</span>"


def bar(part: float, label: str) -> str:
    """Return a bar; its words stand beside it or in its label, so colour says nothing alone."""
    filled = WIDTH * min(max(part, 0.0), 1.0)
    return _svg(
        label,
        f'<rect y="4" width="{WIDTH}" height="8" rx="4" fill="{TRACK}"/>'
        f'<rect y="4" width="{filled:.0f}" height="8" rx="4" style="fill:{LIVE}"/>',
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


def use_meters(reader: RunReader, asked: Resources) -> list[str]:
    """Return cpu, memory and gpus as they are now, each with a line of how they were."""
    samples = reader.samples
    if not samples:
        return []
    found = []
    if rates := cpu_rates(samples):
        count = asked.cpus or int((reader.started or {}).get("cpus") or 0)
        words = f"cpu {rates[-1]:.1f}" + (f" of {count}" if count else "")
        found.append(_meter(words, spark(rates, count, "cpus in use over time")))
    memory = [float(sample["rss"]) for sample in samples]
    words = f"memory {format_size(int(memory[-1]))}"
    words += f" of {format_size(asked.memory)}" if asked.memory else ""
    found.append(_meter(words, spark(memory, float(asked.memory or 0), "memory in use over time")))
    gpus = [gpu_values(sample) for sample in samples]
    for i, now in enumerate(gpus[-1][:8]):
        memory_words = f"{format_size(int(now.mib) << 20)} of {format_size(int(now.mib_total) << 20)}"
        line = spark([g[i].percent for g in gpus if i < len(g)], 100.0, f"gpu {i} over time, percent")
        found.append(_meter(f"gpu {i} {now.percent:.0f} %, {memory_words}", line))
    return found


def _meter(words: str, line: str) -> str:
    return f'<span style="white-space:nowrap">{line} {html.escape(words)}</span>'

"""The help of the cell magics, and the table of options in the docs."""

from __future__ import annotations

import textwrap

from ..model.declaration import Option
from ..model.options import CELL_OPTIONS

_TITLES: dict[str, str] = {
    "resources": "Resources (unset: the target's defaults)",
    "scheduler": "Scheduler",
    "environment": "Environment",
    "names": "Names that travel (comma-separated; repeatable)",
    "behaviour": "Behaviour",
}


_ABOUT = (
    "Run this cell as a job. The names and functions that it reads travel with it; what it prints and displays "
    "appears here while it runs; the names that it assigns, its last value and its exception come back, as if it "
    "had run in the kernel. Stop detaches, Stop twice cancels."
)


_EXAMPLES = (
    ("--gpus 1 --mem 16G --time 30m", "one gpu, 16 GiB, half an hour"),
    ("--dry-run", "show what would travel; submit nothing"),
    ("--time 8h --detach --name long", "go on; `%hpc attach long` gets what it makes"),
    ("-o model --env LR={lr}", "bring model only; {lr} is a value from here"),
    ("--array 0-9%4", "ten tasks, four at a time; names as dicts"),
    ("--conda torch --mem 8G", "in another environment"),
)


_AFTERWARDS = (
    "Afterwards: `%hpc jobs` lists jobs, `%hpc why` says why one waits, `%hpc show ID` why one ended, `%hpc "
    "doctor` what works here, `%hpc help` what to do about an error."
)


_CLOSING = (
    "{expression} and $name are replaced by their values, and a value is never split again. A "
    "value that starts with '-' is --option=-value. What follows a lone -- goes to sbatch."
)


def help_text(prog: str) -> str:
    """The text of ``--help``: what happens, examples, then the options by group."""
    lines = [f"{prog} [options] [-- options of sbatch]", "", *textwrap.wrap(_ABOUT, 88), "", "Examples"]
    examples = [(f"{prog} {options}".rstrip(), why) for options, why in _EXAMPLES]
    wide = max(len(written) for written, _ in examples) + 2
    lines += [f"  {written.ljust(wide)}{why}" for written, why in examples]
    width = max(len(_usage(option)) for option in CELL_OPTIONS) + 2
    for group, title in _TITLES.items():
        lines += ["", title]
        for option in (o for o in CELL_OPTIONS if o.group == group):
            text = textwrap.wrap(option.help, 88 - width)
            lines.append(_usage(option).ljust(width) + text[0])
            lines += [" " * width + line for line in text[1:]]
    for paragraph in (_CLOSING, _AFTERWARDS):
        lines += ["", *textwrap.wrap(paragraph, 88)]
    return "\n".join(lines)


def markdown_table() -> str:
    """All options as a Markdown table, for the docs."""
    lines = ["| Option | Group | Meaning |", "|---|---|---|"]
    for option in CELL_OPTIONS:
        usage = _usage(option).strip().replace("|", "\\|")
        lines.append(f"| `{usage}` | {option.group} | {option.help} |")
    return "\n".join(lines) + "\n"


def _usage(option: Option) -> str:
    indent = "  " if len(option.flags) > 1 else "      "
    return f"{indent}{', '.join(option.flags)} {option.metavar or ''}".rstrip()

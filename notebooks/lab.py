"""Copy the notebooks into a folder of one's own, without the outputs of another machine: what `make lab` shows.

usage: python notebooks/lab.py FOLDER

A copy that somebody changed is theirs and stays; outputs are no change. One that wasn't is written anew when its
original is another: FOLDER/.copied.json remembers of what each was made.
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
HELPERS = ("heartbeats.py", "lineup.py")  # what the notebooks import
REMEMBERED = ".copied.json"


def main() -> None:
    for line in refresh(Path(sys.argv[1])):
        print(line)


def refresh(folder: Path, originals: Path = HERE) -> list[str]:
    """Bring the copies up to date; return a line for each that stays behind because somebody changed it."""
    folder.mkdir(parents=True, exist_ok=True)
    remembered = _remembered(folder)
    behind = []
    for original in [*sorted(originals.glob("*.ipynb")), *(originals / name for name in HELPERS)]:
        copy = folder / original.name
        wanted, made_of = _digest(original), remembered.get(original.name)
        there = _digest(copy) if copy.exists() else None
        if there in (None, made_of):
            if there != wanted:
                copy.write_text(_without_outputs(original), encoding="utf-8")
        elif wanted not in (made_of, there):
            behind.append(f"{copy} stays as you changed it; {original} is newer.")
            continue  # and said again the next time
        remembered[original.name] = wanted
    (folder / REMEMBERED).write_text(json.dumps(remembered, indent=1), encoding="utf-8")
    return behind


def _remembered(folder: Path) -> dict[str, str]:
    try:
        found = json.loads((folder / REMEMBERED).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _digest(path: Path) -> str:
    """Return a digest of what somebody wrote: of a notebook, not what opening and running it left there."""
    text = path.read_text(encoding="utf-8")
    try:
        cells = json.loads(text)["cells"] if path.suffix == ".ipynb" else None
        written = text if cells is None else json.dumps([[c["cell_type"], "".join(c["source"])] for c in cells])
    except (ValueError, KeyError, TypeError):
        written = text  # whatever it is by now, somebody made it
    return hashlib.sha256(written.encode()).hexdigest()


def _without_outputs(path: Path) -> str:
    text = path.read_text(encoding="utf-8")
    if path.suffix != ".ipynb":
        return text
    notebook = json.loads(text)
    notebook["metadata"] = {"kernelspec": notebook["metadata"]["kernelspec"]}
    notebook["cells"] = [_cell(cell) for cell in notebook["cells"]]
    return json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"


def _cell(cell: dict[str, Any]) -> dict[str, Any]:
    metadata = {name: value for name, value in cell["metadata"].items() if name != "execution"}
    kept = {"cell_type": cell["cell_type"], "id": cell["id"], "metadata": metadata, "source": cell["source"]}
    return kept | ({"execution_count": None, "outputs": []} if cell["cell_type"] == "code" else {})


if __name__ == "__main__":
    main()

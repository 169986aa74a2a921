"""Every link of the docs, the errors and the doctor leads somewhere."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from jupyter_hpc.commands import catalogue as commands
from jupyter_hpc.commands import machine
from jupyter_hpc.commands import troubles as pages
from jupyter_hpc.model import exceptions
from jupyter_hpc.model.exceptions import HPCError, help_command
from jupyter_hpc.runtime import settings
from jupyter_hpc.runtime.settings import JupyterHPC
from jupyter_hpc.targets import targets

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", pages.PAGE, *sorted((ROOT / "docs").glob("*.md"))]
TROUBLESHOOTING = pages.PAGE


def anchors(path: Path) -> set[str]:
    """What a link may name in a page: its own anchors, and those that every viewer makes of headings."""
    text = path.read_text(encoding="utf-8")
    own = set(re.findall(r'<a id="([^"]+)">', text))
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return own | {re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in headings}


def test_each_error_has_its_place_and_shows_the_link() -> None:
    classes = [c for c in vars(exceptions).values() if isinstance(c, type) and issubclass(c, HPCError)]
    assert {c.code for c in classes} <= anchors(TROUBLESHOOTING)
    shown = exceptions.OutOfMemory("It was full.", hint="Ask for more.")._render_traceback_()
    assert any(line.endswith(help_command("out-of-memory")) for line in shown)


def test_each_place_that_the_doctor_names_is_there() -> None:
    source = Path(machine.__file__).read_text(encoding="utf-8")
    named = set(re.findall(r"help_command\(['\"]([\w-]+)['\"]\)", source))
    assert named
    assert named <= anchors(TROUBLESHOOTING)


def test_each_place_can_be_shown_and_a_wrong_one_is_named() -> None:
    for place in pages.places():
        text = pages.section(place)
        assert text.startswith("#") and "<a id=" not in text and len(text.splitlines()) > 1
    _, arguments = commands.parse(["help", "out-of-memory"], "%hpc")
    assert commands.COMMANDS["help"].run(arguments).startswith("### ")
    with pytest.raises(exceptions.OptionError, match="no place 'out-of-memry'") as caught:
        pages.section("out-of-memry")
    assert "Did you mean out-of-memory?" in caught.value.hint


@pytest.mark.parametrize("page", [ROOT / "CONTRIBUTING.md", ROOT / "docs" / "decisions.md"], ids=lambda page: page.name)
def test_each_module_that_is_named_is_there(page: Path) -> None:
    named = set(re.findall(r"`([a-z_]+/[a-z_/]+\.py)`", page.read_text(encoding="utf-8")))
    assert named
    for name in named:
        assert any((place / name).exists() for place in (ROOT, ROOT / "jupyter_hpc")), name


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_relative_links_lead_somewhere(page: Path) -> None:
    for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        if "://" in link:
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / name) if name else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


MOST_BYTES = 600_000


def test_pictures_are_small_and_told_in_words() -> None:
    pictures = re.findall(r"!\[([^\]]*)\]\(([^)\s]+)\)", (ROOT / "README.md").read_text(encoding="utf-8"))
    assert {name for _, name in pictures} == {f"docs/{name}" for name in ("cell.png", "live.webp", "sidebar.png")}
    for words, name in pictures:
        assert len(words.split()) >= 6, name
        assert (ROOT / name).stat().st_size < MOST_BYTES, name


def test_the_map_has_every_command_and_is_short() -> None:
    text = commands.short_map("%hpc")
    assert all(re.search(rf"\b{name}\b", text) for name in commands.COMMANDS)
    assert len(text.splitlines()) <= 6
    assert set(commands._WITH_ID) <= set(commands.COMMANDS)


def test_the_admin_page_names_every_setting_and_its_example_is_valid(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from jupyter_hpc.model.spec import JobSpec

    text = (ROOT / "docs" / "admin.md").read_text(encoding="utf-8")
    for name in JupyterHPC.class_traits(config=True):
        assert f"`{name}" in text or f"`{name}." in text
    example = re.search(r"```json\n(.+?)```", text, re.DOTALL)
    assert example
    (tmp_path / "jupyter_hpc_config.json").write_text(example[1])
    monkeypatch.setenv("JUPYTER_CONFIG_DIR", str(tmp_path))
    monkeypatch.delenv("JUPYTER_HPC_TARGET", raising=False)
    found = targets.targets()
    assert set(json.loads(example[1])["JupyterHPC"]["targets"]) <= set(found)
    assert settings.setting("default_target") == "gpu"
    spec = found["gpu"].complete(JobSpec())
    assert (spec.partition, spec.resources.gpus, spec.modules) == ("gpu", 1, ("cuda/12.4",))


def test_lazy_magics_load_the_extension(tmp_path: Path) -> None:
    """The line of the admin page, in a kernel's own configuration."""
    import os
    import subprocess
    import sys

    text = (ROOT / "docs" / "admin.md").read_text(encoding="utf-8")
    line = re.search(r"```python\n(c\.MagicsManager.+?)```", text, re.DOTALL)
    assert line
    profile = tmp_path / "profile_default"
    profile.mkdir()
    (profile / "ipython_config.py").write_text("c = get_config()\n" + line[1])
    code = "import sys; get_ipython().run_line_magic('hpc', '--help'); print('loaded', 'jupyter_hpc' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-m", "IPython", "--no-banner", "-c", code],
        env={**os.environ, "IPYTHONDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert "loaded True" in done.stdout, done.stdout + done.stderr
    assert "%hpc doctor" in done.stdout

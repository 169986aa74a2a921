"""What a job, a scheduler or a notebook's name says reaches a terminal and a page as text that does nothing."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_hpc.commands import catalogue, cli
from jupyter_hpc.jobs.job import Job
from jupyter_hpc.lineage.show.view import lineage
from jupyter_hpc.model.exceptions import HPCError, JobError, RemoteError
from jupyter_hpc.model.printable import printable
from jupyter_hpc.rundir.run import Run
from jupyter_hpc.rundir.store import Store
from jupyter_hpc.views.ansi import Colours, strip
from jupyter_hpc.views.card import card_html, card_text
from jupyter_hpc.views.screen import coloured, plain, rows_of, to_html
from tests.faults.road import submit
from tests.lineage import records

CLIPBOARD = "\x1b]52;c;ZXZpbA==\x07"
LINK = "\x1b]8;;https://evil.example/\x1b\\click\x1b]8;;\x1b\\"
SEQUENCES = {
    "clipboard": CLIPBOARD,
    "link": LINK,
    "clear": "\x1b[2J\x1b[H",
    "up": "\x1b[5A\x1b[K",
    "title": "\x1b]0;title\x07",
    "colour": "\x1b[8mhidden",
    "controls": "\x9b2J\x9d52;c;ZXZpbA==\x9c\x90q\x9c",
    "charset": "\x0e\x0f\x05\x07\x7f",
    "override": "\u202edlrow\u202c \u2066x\u2069",
    "separators": "\u2028\u2029\x85\x0b\x0c",
    "half": "\udcff\ud800",
}
HOSTILE = "".join(SEQUENCES.values())
ACTIVE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
COLOUR = re.compile(r"\x1b\[(?:[0-9;:]*m|[012]?K|[0-9]+A)")  # lines of its own may be written anew


def active(text: str, *, colours: bool = False) -> list[str]:
    """What of a text a terminal or a page would act on."""
    return ACTIVE.findall(COLOUR.sub("", text) if colours else text)


@pytest.mark.parametrize("text", SEQUENCES.values(), ids=list(SEQUENCES))
def test_a_sequence_is_shown_as_text(text: str) -> None:
    assert active(text)
    shown = printable(f"a\tb\n{text}")
    assert not active(shown)
    assert shown.startswith("a\tb\n\\") or shown == "a\tb\nhidden"  # a colour says nothing, and hides nothing then
    assert printable(shown) == shown


@pytest.mark.parametrize(
    "text", ["plain", "ünï 漢字 🚀 👩‍👩‍👧", "a\\x1b[31m", "שלום", "naïve\n\tx", "e\u0301", "کتاب‌ها"]
)
def test_what_is_text_stays(text: str) -> None:
    assert printable(text) == coloured(text) == text


@given(st.text())
def test_nothing_that_acts_is_left(text: str) -> None:
    assert not active(printable(text))
    assert not active(strip(text)) and not active(plain(text))
    assert not active(coloured(text), colours=True)
    stream = Colours()
    assert not active(re.sub("[\r\b]", "", stream.add(text) + stream.end()), colours=True)
    assert not active(re.sub(r"</?span[^>]*>", "", to_html(rows_of(text))))


def test_logs_keep_colours_and_progress_and_nothing_else() -> None:
    assert coloured("\x1b[1;31mred\x1b[0m\n1%\r2%") == "\x1b[1;31mred\x1b[0m\n2%"
    assert coloured(f"a{CLIPBOARD}b{LINK}c\x9b5Ae\x9d0;x\x9cf") == "abclickcef"
    assert coloured("a\u202eb") == "a\\u202eb"
    assert coloured("\x1b[31mred") == "\x1b[31mred\x1b[0m"  # what comes after it is not the log's


@pytest.mark.parametrize("at", range(1, len(f"x\x1b[31my{CLIPBOARD}{LINK}z")))
def test_a_sequence_that_comes_in_two_pieces_is_one(at: int) -> None:
    text = f"x\x1b[31my{CLIPBOARD}{LINK}z"
    stream = Colours()
    assert stream.add(text[:at]) + stream.add(text[at:]) == "x\x1b[31myclickz"
    assert stream.end() == "\x1b[0m"


def test_a_sequence_without_an_end_holds_back_no_text() -> None:
    stream = Colours()
    found = stream.add("\x1b]52;c;" + "A" * 100_000) + stream.add("B" * 10_000 + "\n") + stream.end()
    assert not active(found) and found.count("A") == 100_000 and found.endswith("B\n")


def test_errors_are_inert_in_a_terminal_and_in_a_notebook() -> None:
    remote = RemoteError(HOSTILE, hint=HOSTILE, log_tail=HOSTILE)
    remote.traceback = HOSTILE
    for error in (HPCError(HOSTILE, hint=HOSTILE), JobError(HOSTILE, log_tail=HOSTILE), remote):
        assert not active(str(error))
        assert not active("\n".join(error._render_traceback_()))
        assert "\\x1b]52;c;" in str(error)


@pytest.fixture(scope="module")
def own_root(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    root = tmp_path_factory.mktemp("root")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JUPYTER_HPC_ROOT", str(root))
        patch.chdir(tmp_path_factory.mktemp("folder"))
        yield Store(root)


SAFE = HOSTILE.replace(SEQUENCES["half"], "")  # what a file can hold that no other test is about
CELL = f"""
import os
print({SAFE!r} + "\\x1b[32mgreen\\x1b[0m")
class Odd(Exception):
    pass
y = {SAFE!r}
Odd.__name__ = Odd.__qualname__ = "Odd" + {CLIPBOARD!r}
raise ValueError({SAFE!r})
"""


@pytest.fixture(scope="module")
def failed(own_root: Store) -> Job:
    """A job of this machine that carries them wherever a user's text goes."""
    job = submit(CELL, "local", name=f"n{SAFE}", env={"ODD": SAFE})
    assert job.wait(60), job
    return Job(Run(job.run.path))


@pytest.fixture(scope="module")
def brought(own_root: Store) -> Job:
    job = submit(f"y = {SAFE!r}\nz = {{y: 1}}", "local", name=f"m{SAFE}")
    assert job.wait(60), job
    return Job(Run(job.run.path))


@pytest.fixture(scope="module")
def told(own_root: Store) -> Job:
    """A job of which all that a scheduler, an image or a notebook says is hostile."""
    verdict = {
        "state": "FAILED",
        "error": "JobLost",
        "cause": "lost",
        "message": SAFE,
        "hint": f"x\n{SAFE}",
        "evidence": [SAFE],
        "again": SAFE,
    }
    value = records.value(f"v{SAFE}", "content", type=f"t{SAFE}")
    found = records.record(
        7,
        name=f"k{SAFE}",
        target={"name": f"local{SAFE}", "backend": "local"},
        native_id=f"8{SAFE}",
        node=f"n1{SAFE}",
        reason=SAFE,
        state="FAILED",
        verdict=verdict,
        inputs=[value],
        outputs=[value],
        names=[SAFE],
        stale=[SAFE],
        changes=[SAFE],
        command=["sbatch", SAFE],
        files=[{"path": f"/f{SAFE}", "mode": "w"}],
        environment={"digest": records.digest("environment"), "drift": []},
        attempts=[{"reason": SAFE}, {"reason": SAFE}],
        exception={"type": SAFE, "message": SAFE, "traceback": SAFE},
    )
    found["notebook"]["path"] = f"/n{SAFE}.ipynb"
    found["spec"].update(partition=SAFE, prologue=SAFE)
    found["code"].update(text=f"y = 1  # {SAFE}\n", label=SAFE)
    path = records.write(own_root, found)
    (path / "scheduler.log").write_text(SAFE)
    (path / "log").write_text(f"{SAFE}\x1b[32mgreen\x1b[0m")
    return Job(Run(path))


WORDS: dict[str, tuple[str, ...]] = {  # every command, as one that comes upon such jobs is typed
    "jobs": (),
    "show": ("RUN",),
    "logs": ("RUN",),
    "plot": ("RUN",),
    "attach": ("RUN",),
    "why": ("RUN",),
    "lineage": ("RUN",),
    "runs": (),
    "diff": ("RUN", "OTHER"),
    "tag": ("RUN", f"a{SAFE}:v{CLIPBOARD}"),
    "rerun": (f"x{SAFE}",),
    "export": ("rocrate", f"x{SAFE}"),
    "reindex": (),
    "cancel": ("RUN",),
    "resubmit": (f"x{SAFE}",),
    "result": ("RUN",),
    "trust": ("RUN",),
    "notebook": (f"x{SAFE}",),
    "targets": (),
    "config": (),
    "doctor": (),
    "help": (SAFE,),
    "clean": ("--older-than", "0"),
    "practice": (SAFE,),
}
SHOWS = {"jobs", "show", "attach", "why", "lineage", "runs", "diff", "result", "help", "clean"}
SILENT = {("why", "brought"), ("attach", "brought")}  # these say nothing that came from outside


@pytest.mark.parametrize("name", catalogue.COMMANDS)
@pytest.mark.parametrize("which", ["failed", "brought", "told"])
def test_every_command_shows_them_as_text(
    name: str, which: str, request: pytest.FixtureRequest, brought: Job, capsys: pytest.CaptureFixture[str]
) -> None:
    job: Job = request.getfixturevalue(which)
    other = request.getfixturevalue("told" if which != "told" else "failed")
    words = [{"RUN": job.id, "OTHER": other.id}.get(word, word) for word in WORDS[name]]
    cli.main([name, *words])
    shown = "".join(capsys.readouterr())
    assert not active(shown.replace("\r", "") if name == "logs" else shown, colours=name == "logs")
    if name == "logs" and which != "brought":
        assert "\x1b[32mgreen\x1b[0m" in shown
    if name in SHOWS and (name, which) not in SILENT:
        assert "\\x1b]52;c;" in shown, shown


@pytest.mark.parametrize("words", [("logs", "--scheduler"), ("logs", "--follow"), ("lineage", "--json")])
@pytest.mark.parametrize("which", ["failed", "told"])
def test_and_with_their_options(
    words: tuple[str, ...], which: str, request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]
) -> None:
    job: Job = request.getfixturevalue(which)
    cli.main([words[0], job.id, *words[1:]])
    shown = "".join(capsys.readouterr()).replace("\r", "")
    assert not active(shown, colours=words[0] == "logs")


def test_a_name_makes_no_line_of_its_own(own_root: Store, capsys: pytest.CaptureFixture[str]) -> None:
    found = records.record(8, name="x\n20260101-000000-abcdef  slurm  1  COMPLETED")
    records.write(own_root, found)
    cli.main(["jobs"])
    lines = capsys.readouterr().out.splitlines()
    assert not [line for line in lines if line.startswith("20260101-000000-abcdef")]
    assert sum(line.startswith(found["id"]) for line in lines) == 1


@pytest.mark.parametrize("which", ["failed", "brought", "told"])
def test_cards_and_pictures_are_inert(which: str, request: pytest.FixtureRequest) -> None:
    from jupyter_hpc.follow.glance import look

    job: Job = request.getfixturevalue(which)
    picture = look(job.run)
    for text in (card_html(picture), card_text(picture), repr(job), *map(str, job._repr_mimebundle_().values())):
        assert not active(text)
    assert "\\x1b]52;c;" in card_html(picture)
    found = lineage(job.id)
    for text in (repr(found), found._repr_html_(), found._repr_svg_()):
        assert not active(text)


def test_what_is_raised_is_inert(failed: Job) -> None:
    error: Any = failed.exception()
    assert isinstance(error, ValueError)
    assert error.args == (SAFE,)  # the exception itself is what it was
    assert not active("\n".join(error._render_traceback_()))
    assert not active(str(error.__cause__))
    assert "\\x1b]52;c;" in "\n".join(error._render_traceback_())


@pytest.mark.parametrize("which", ["failed", "told"])
def test_the_sidebar_gets_them_as_text(which: str, request: pytest.FixtureRequest, own_root: Store) -> None:
    from jupyter_hpc.server.detail import detail
    from jupyter_hpc.server.listing import Listing

    job: Job = request.getfixturevalue(which)
    rows = Listing(own_root).recorded()
    whole = {key: value for key, value in detail(job).items() if key != "code"}
    for answer in (rows, whole):
        assert not active(json.dumps(answer, ensure_ascii=False))


def test_a_cell_in_a_terminal_streams_colours_alone(failed: Job, capsys: pytest.CaptureFixture[str]) -> None:
    from jupyter_hpc.display.panel import TextView
    from jupyter_hpc.rundir.reader import Output

    view = TextView(failed, quiet=False)
    for piece in (SAFE[:3], SAFE[3:], "\x1b[31mred\n"):
        view.update(failed.status, [Output("stdout", text=piece), Output("stderr", text=piece)])
    view.finish()
    out, err = capsys.readouterr()
    for text in (out, err):
        assert "\x1b[31mred\n" in text and "ZXZpbA" not in text.partition("✗ failed")[0]
        assert not active(text, colours=True)


def test_a_display_in_a_terminal_keeps_colours_alone() -> None:
    from jupyter_hpc.display.publish import fit

    data = {"text/plain": f"{SAFE}\x1b[31mred\x1b[0m", "text/html": CLIPBOARD}
    assert not active(fit(object(), data)["text/plain"], colours=True)
    page = {"metadata": {"cellId": "c"}}
    notebook = type("Shell", (), {"kernel": None, "parent_header": page})()
    assert fit(notebook, data) is data  # the front end's own rules hold

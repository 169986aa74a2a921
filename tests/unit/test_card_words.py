"""A card says each thing once: the log by its end, a command where it is to be typed."""

from __future__ import annotations

import dataclasses
import time
from typing import Any

import pytest

from jupyter_hpc.follow.glance import look
from jupyter_hpc.jobs import errors
from jupyter_hpc.jobs.job import Job
from jupyter_hpc.model.exceptions import JobError
from jupyter_hpc.model.states import JobState, Status
from jupyter_hpc.rundir.reader import Output
from jupyter_hpc.rundir.run import Run
from jupyter_hpc.rundir.store import Store
from jupyter_hpc.views.ansi import strip
from jupyter_hpc.views.card import card_html, card_text
from jupyter_hpc.views.log import END_ROWS, WHOLE_ROWS, LogTail
from tests.lineage import records


def text_of(html: str) -> str:
    import re
    from html import unescape

    return unescape(re.sub(r"<[^>]*>", "", html))


def tail_of(text: str) -> LogTail:
    tail = LogTail()
    tail.add([Output("stdout", text=text)])
    return tail


def epochs(count: int) -> str:
    return "".join(f"epoch {i:3}\n" for i in range(count))


@pytest.fixture
def ended(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("JUPYTER_HPC_ROOT", str(tmp_path))

    def made(log: str, **fields: Any) -> Job:
        path = records.write(Store(tmp_path), records.record(1, **fields))
        (path / "log").write_text(log)
        return Job(Run(path))

    return made


def test_a_short_log_is_shown_whole() -> None:
    end = tail_of(epochs(WHOLE_ROWS)).end()
    assert end.above == 0 and end.text == epochs(WHOLE_ROWS).rstrip()


@pytest.mark.parametrize("count", [WHOLE_ROWS + 1, 300, 10_000])
def test_a_long_log_is_shown_by_its_end(count: int) -> None:
    end = tail_of(epochs(count)).end()
    assert end.above == count - END_ROWS
    assert end.text.splitlines() == epochs(count).splitlines()[-END_ROWS:]
    assert text_of(end.html) == end.text


@pytest.mark.parametrize(
    ("text", "above", "shown"),
    [
        (epochs(60) + "\n" * 30, 40, 20),
        (epochs(3) + "\n" * 30, 0, 3),
        (epochs(60) + "\n" * 1000, 1060, 0),
        ("\n" * 1000, 1000, 0),
        ("\n" * 30, 0, 0),
    ],
)
def test_empty_lines_at_the_end_are_not_its_end(text: str, above: int, shown: int) -> None:
    end = tail_of(text).end()
    assert (end.above, len(end.text.splitlines())) == (above, shown)


def test_few_lines_that_fill_a_page_are_a_long_log() -> None:
    end = tail_of(("w" * 1900 + "\n") * 10).end()
    assert end.above > 5 and end.text


def test_colours_of_lines_above_go_on_in_those_shown() -> None:
    assert "jp-ansi-red" in tail_of("\x1b[31m" + epochs(100)).end().html


def test_the_card_leads_to_what_is_above(ended: Any) -> None:
    job = ended(epochs(100))
    picture = look(job.run)
    for card in (text_of(card_html(picture)), card_text(picture)):
        assert f"… 80 lines above: %hpc logs {job.id}" in card and "epoch  99" in card and "epoch   0" not in card
    assert "max-height" not in card_html(picture)


def test_the_card_of_a_live_job_says_when_it_stood_so(ended: Any) -> None:
    """It may be saved, or be on a page that changes it at the end alone."""
    picture = look(ended("").run)
    live = dataclasses.replace(picture, status=Status(JobState.RUNNING))
    today = time.strftime("as it stood on %Y-%m-%d at ")
    assert today in text_of(card_html(live)) and "as it stood" not in text_of(card_html(picture))


@pytest.mark.parametrize("lines", [3, 41, 1000])
def test_nothing_but_empty_lines_is_no_frame(ended: Any, lines: int) -> None:
    picture = look(ended("\n" * lines).run)
    assert "<pre" not in card_html(picture) and not card_text(picture).endswith("\n")


def test_a_log_is_monospaced_without_a_style_sheet(ended: Any) -> None:
    pre = card_html(look(ended("x\n").run)).partition("<pre")[2].partition(">")[0]
    assert "monospace" in pre


OUT_OF_MEMORY = {
    "state": "OUT_OF_MEMORY",
    "error": "OutOfMemory",
    "cause": "out-of-memory-cgroup",
    "message": "The job exceeded its memory limit of 300 MiB.",
    "hint": "Ask for more, as in `--mem 1G`.",
    "evidence": ["oom_kill 1"],
    "again": "--mem 1G",
}


def test_out_of_memory_is_told_once(ended: Any) -> None:
    """Below the cell stand a card and the error: the suggestion and each line of the log once in both."""
    job = ended(epochs(10), state="OUT_OF_MEMORY", verdict=OUT_OF_MEMORY, reason=OUT_OF_MEMORY["message"])
    error: Any = job.outcome(5).error
    assert isinstance(error, JobError)
    alone = "\n".join(error._render_traceback_())
    assert alone.count("--mem 1G") == 1 and alone.count("epoch   9") == 1
    errors.say_once(error, card=True)
    picture = look(job.run)
    for card in (text_of(card_html(picture)), card_text(picture)):
        shown = "\n".join([card, *error._render_traceback_()])
        assert shown.count("--mem 1G") == 1, shown
        assert all(shown.count(line) == 1 for line in epochs(10).splitlines()), shown
    assert "epoch   9" in error.log_tail  # for whoever asks the error itself
    errors.say_once(error, card=False)
    text = "\n".join(error._render_traceback_())
    assert "--mem 1G" in text and "epoch" not in text


@pytest.mark.parametrize(
    ("page", "quiet", "expected"), [(True, False, True), (True, True, False), (False, False, False)]
)
def test_only_a_page_has_a_card_above_the_error(
    ended: Any, monkeypatch: pytest.MonkeyPatch, page: bool, quiet: bool, expected: bool
) -> None:
    """A terminal prints the line of it, and so the error says what helps; without widgets a page has the card, too."""
    from jupyter_hpc.display import panel

    monkeypatch.setattr(panel, "is_page", lambda shell: page)
    assert panel.TextView(ended("x\n"), quiet=quiet).has_card is expected


def test_types_are_called_what_people_call_them(ended: Any) -> None:
    types = {"np": "builtins.module", "d": "builtins.dict", "x": "numpy.ndarray"}
    job = ended("", inputs=[{"name": name, "type": kind, "nbytes": 9} for name, kind in types.items()])
    card = text_of(card_html(look(job.run)))
    assert "np module" in card and "d dict" in card and "x numpy.ndarray" in card and "builtins" not in card


def test_a_followed_log_ends_with_the_traceback(tmp_path: Any, monkeypatch: Any, capsys: Any) -> None:
    from jupyter_hpc.commands import cli
    from tests.faults.road import submit

    monkeypatch.setenv("JUPYTER_HPC_ROOT", str(tmp_path))
    job = submit("print('before', end='')\n1 / 0", "local")
    assert job.wait(60), job
    cli.main(["logs", "-f", job.id])
    shown = strip("".join(capsys.readouterr()))
    assert shown.count("Traceback (most recent call last)") == 1 and "ZeroDivisionError" in shown
    assert job.logs().startswith("before\nTraceback")  # in a line of its own, also where none had ended


def test_who_was_told_to_end_says_so_without_our_names(tmp_path: Any, monkeypatch: Any, capsys: Any) -> None:
    from jupyter_hpc.commands import cli
    from tests.faults.road import submit

    monkeypatch.setenv("JUPYTER_HPC_ROOT", str(tmp_path))
    job = submit("import time\ntime.sleep(60)", "local", time="1s")
    assert job.wait(60), job
    cli.main(["show", job.id])
    shown = capsys.readouterr().out
    assert "Stopped: SIGTERM asked the job to end" in shown and "jupyter_hpc_worker" not in shown


def test_where_a_cell_ended_itself_or_failed_is_in_every_text(
    tmp_path: Any, monkeypatch: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    from jupyter_hpc.commands import cli
    from tests.faults.road import submit

    monkeypatch.setenv("JUPYTER_HPC_ROOT", str(tmp_path))
    cells = {
        "import sys\nsys.exit(3)": ("Traceback (most", "    sys.exit(3)", "SystemExit: 3"),
        "raise SystemExit('no data')": ("Traceback (most", "SystemExit: no data"),
        "raise ValueError('\\x1b[1;31mred\\x1b[0m end')": ("Traceback (most", "ValueError: red end"),
        "raise ValueError('z' * 500_000)": ("Traceback (most", "    raise ValueError('z'", "zzz"),
    }
    for cell, words in cells.items():
        job = submit(cell, "local")
        assert job.wait(60), job
        for view in ("show", "logs"):
            cli.main([view, job.id])
            shown = capsys.readouterr().out
            assert all(word in strip(shown) for word in words), shown[-2000:]
            assert view == "logs" or ("\\x1b[" not in shown.replace(cell, "") and "\x1b" not in shown)
        assert "\\x1b" not in card_text(look(job.run)).replace(cell, "")
        assert len(job.record["exception"]["traceback"]) < 70_000
    job = submit("print('all is done')\nraise SystemExit(0)", "local")
    assert job.wait(60) and job.logs() == "all is done\n"


def test_states_and_wishes_are_words(ended: Any, capsys: pytest.CaptureFixture[str]) -> None:
    from jupyter_hpc.commands import cli

    spec = {
        "resources": {"cpus": 2, "memory": 1 << 30, "time": 600},
        "partition": "gpu",
        "exclude": ["n1", "n2"],
        "requeue": True,
    }
    job = ended("x\n", state="TIMEOUT", verdict={"state": "TIMEOUT"}, spec=spec)
    assert "timed out" in card_html(look(job.run)) and "timeout" not in card_html(look(job.run))
    cli.main(["show", job.id])
    shown = capsys.readouterr().out
    assert "asked for: 2 cpus, 1 GiB, 10 min, partition gpu, exclude n1, n2, requeue\n" in shown

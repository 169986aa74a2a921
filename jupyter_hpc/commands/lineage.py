"""``%hpc lineage``, ``runs``, ``diff``, ``tag``, ``rerun``, ``export`` and ``reindex``."""

from __future__ import annotations

import argparse
import time

from ..model.exceptions import OptionError
from ..model.resources import format_time
from ..model.states import state_words
from .definition import Command, table, takes_run


def _lineage(arguments: argparse.Namespace) -> str:
    import json

    from ..lineage.show.view import lineage

    found = lineage(arguments.what)
    return json.dumps(found.to_json(), indent=1, default=str) if arguments.json else found.text


def _lineage_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", help="a name, a run, the path of a file, a tag such as model:v3, or a digest")
    parser.add_argument("--json", action="store_true", help="everything that is recorded, as JSON")


def _runs(arguments: argparse.Namespace) -> str:
    from ..lineage.ask import runs
    from ..lineage.index.index import index_of

    index = index_of()
    found = runs.rows(index, " ".join(arguments.where or ()), limit=arguments.number)
    lines = [f"{path} can't be read: {why}." for path, why in index.problems()]
    if not found:
        return "\n".join(["No runs.", *lines])
    rows = [("id", "target", "state", "when", "time", "name or code")]
    for row in found:
        when = time.strftime("%d %b %H:%M", time.localtime(row["created"]))
        took = row["ended_at"] - row["started_at"] if row["ended_at"] and row["started_at"] else None
        words = (row["name"] or row["label"] or "")[:48]
        spent = format_time(took) if took is not None else ""
        rows.append((row["run_id"], row["target"] or "", state_words(row["state"]), when, spent, words))
    return "\n".join([table(rows), *lines])


def _runs_arguments(parser: argparse.ArgumentParser) -> None:
    from ..lineage.ask.where import WORDS

    parser.add_argument(
        *("--where",),
        nargs="+",
        metavar="CONDITION",
        help=f"joined with and; it may begin with {', '.join(WORDS)}",
    )
    parser.add_argument("-n", "--number", type=int, default=20, help="how many (20)")


def _diff(arguments: argparse.Namespace) -> str:
    from ..lineage.ask.compare import difference
    from ..rundir.store import store

    runs = store()
    return difference(runs, runs.find(arguments.first), runs.find(arguments.second)).text


def _diff_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("first", metavar="RUN1")
    parser.add_argument("second", metavar="RUN2")


def _tag(arguments: argparse.Namespace) -> str:
    from ..lineage.ask import find
    from ..lineage.ask.values import kernel_names
    from ..lineage.index import tags
    from ..lineage.index.index import index_of

    index = index_of()
    if arguments.remove:
        whole = ":".join(word for word in (arguments.what, arguments.tag) if word)
        tags.remove(index.store, whole)
        index.refresh()
        return f"{whole} is nobody's now."
    if not arguments.tag:
        raise OptionError("A tag must be said.", hint=f"As in `%hpc tag {arguments.what} v3`.")
    start = find.find(index, arguments.what, namespace=kernel_names())
    key, _, version = arguments.tag.rpartition(":")
    key = key or start.name or start.title
    subject = start.digest or start.run_id
    tags.add(index.store, key, version, subject=subject, name=start.name, run=start.run_id)
    index.refresh()  # completion looks at the index as it stands
    what = start.name if start.digest else f"run {start.run_id}"
    return f"{key}:{version} is {what} of {start.run_id} now. `%hpc lineage {key}:{version}` shows how it came to be."


def _tag_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", help="a name, a run or a file; with --remove a whole tag")
    parser.add_argument("tag", nargs="?", help="v3, or a whole tag such as model:v3")
    parser.add_argument("--remove", action="store_true", help="take the tag away: %%hpc tag model:v3 --remove")


def _rerun(arguments: argparse.Namespace) -> str:
    from ..jobs.job import Job
    from ..jobs.submit import rerun
    from ..rundir.store import store
    from ..submission.rerun import reproduction, warnings

    old = Job(store().find(arguments.run))
    notes = [f"! {line}" for line in warnings(old.run, arguments.workdir)]
    new = rerun(old, target=arguments.on, changes=changes(arguments), workdir=arguments.workdir)
    lines = [*notes, f"{old.id} runs again as {new.id} on {new.target}."]
    if arguments.detach:
        return "\n".join([*lines, f"→ `%hpc diff {old.id} {new.id}` compares them when it has ended."])
    if not new.wait(arguments.timeout):
        return "\n".join([*lines, f"It has not ended after {arguments.timeout:g} s, and goes on."])
    lines.append(new.describe())
    return "\n".join([*lines, reproduction(old.run, new.run).text])


def changes(arguments: argparse.Namespace) -> dict[str, str]:
    """Return the parameters of ``--set``.

    Raises
    ------
    OptionError
        If one is not ``name=value``.
    """
    found = {}
    for each in arguments.set or ():
        name, equals, value = each.partition("=")
        if not equals or not name or not value:
            raise OptionError(f"--set takes name=value, not {each[:80]!r}.", hint="As in --set lr=0.01.")
        found[name.strip()] = value.strip()
    return found


def _rerun_arguments(parser: argparse.ArgumentParser) -> None:
    takes_run(parser)
    parser.add_argument("--on", metavar="TARGET", help="run it there instead")
    parser.add_argument("--set", action="append", metavar="NAME=VALUE", help="another parameter, as lr=0.01")
    parser.add_argument("--workdir", metavar="FOLDER", help="run it in another folder, so that no file is overwritten")
    parser.add_argument("--detach", action="store_true", help="return at once, compare nothing")
    parser.add_argument("--timeout", type=float, help="seconds to wait for it")


def _reindex(arguments: argparse.Namespace) -> str:
    from ..lineage.index.index import index_of

    report = index_of().rebuild()
    rate = report.read / report.seconds if report.seconds else 0
    lines = [f"{report.path}: {report.read} runs and cells in {report.seconds:.1f} s ({rate:.0f} a second)."]
    return "\n".join([*lines, *(f"skipped {path}: {why}" for path, why in report.damaged)])


def _export(arguments: argparse.Namespace) -> str:
    from ..lineage.exports import export

    return export(arguments.format, arguments.what, arguments.to)


def _export_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("format", choices=("openlineage", "rocrate", "mlflow"))
    parser.add_argument("what", help="as for lineage")
    parser.add_argument("--to", metavar="PATH", help="rocrate: a new folder or FILE.zip; openlineage: a file of events")


COMMANDS = {
    "lineage": Command("how a value, a file or a run came to be", _lineage_arguments, _lineage),
    "runs": Command("the runs that meet a condition", _runs_arguments, _runs),
    "diff": Command("what differs between two runs", _diff_arguments, _diff),
    "tag": Command("give a value or a run a name, such as model:v3", _tag_arguments, _tag),
    "rerun": Command("the same code on the same inputs; does it make the same?", _rerun_arguments, _rerun),
    "export": Command("OpenLineage events, an RO-Crate, or an MLflow run", _export_arguments, _export),
    "reindex": Command("read all run directories again into the index", lambda parser: None, _reindex),
}

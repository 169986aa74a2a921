"""MLflow runs of runs, on the tracking server that the user has configured."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from ...model.encodable import encodable
from ...model.exceptions import HPCError
from .collect import Exported, missing, requirements

TAG = "jupyter_hpc.run"
EXPERIMENT = "jupyter_hpc"
_LONGEST = 5000  # of a tag's or parameter's text, on every MLflow server
_STATES = {"COMPLETED": "FINISHED", "CANCELLED": "KILLED"}


def log(runs: Sequence[Exported]) -> str:
    """Log each run once, the earliest first, and say where.

    Raises
    ------
    HPCError
        If MLflow isn't installed, no tracking server is configured, or it fails.
    """
    try:
        import mlflow
        from mlflow import MlflowClient
    except ImportError:
        raise missing("mlflow", "mlflow") from None
    if not mlflow.is_tracking_uri_set():
        raise HPCError("Nothing says where MLflow keeps runs.", hint="Set MLFLOW_TRACKING_URI.")
    client = MlflowClient()
    try:
        experiment = _experiment(client)
        new = [found for found in reversed(runs) if not _known(client, experiment, found)]
        for found in new:
            _log(client, experiment, found)
    except Exception as error:  # each kind of store has errors of its own
        words = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise HPCError(
            f"MLflow at {mlflow.get_tracking_uri()} failed: {words}",
            hint="Run the export again: what is there already is not logged twice. MLFLOW_TRACKING_URI says where to.",
        ) from error
    return f"Logged {len(new)} of {len(runs)} runs to {mlflow.get_tracking_uri()} (the others were there already)."


def _experiment(client: Any) -> str:
    if ident := os.environ.get("MLFLOW_EXPERIMENT_ID"):
        return ident
    name = os.environ.get("MLFLOW_EXPERIMENT_NAME", EXPERIMENT)
    found = client.get_experiment_by_name(name)
    return str(found.experiment_id if found else client.create_experiment(name))


def _known(client: Any, experiment: str, found: Exported) -> bool:
    """Whether it is there, whole: what was cut off in the middle still runs, for MLflow."""
    wanted = f"tags.`{TAG}` = '{found.run.id}' and attributes.status != 'RUNNING'"
    return bool(client.search_runs([experiment], wanted, max_results=1))


def _log(client: Any, experiment: str, found: Exported) -> None:
    known, record = found.details, found.record
    started = int((record.get("started_at") or record["created"]) * 1000)
    run = client.create_run(experiment, start_time=started, tags=_tags(found), run_name=known["name"] or found.run.id)
    try:
        _fill(client, run.info.run_id, found, started)
    except BaseException:
        with suppress(Exception):
            client.delete_run(run.info.run_id)
        raise
    ended = int((record.get("ended_at") or started / 1000) * 1000)
    client.set_terminated(run.info.run_id, _STATES.get(str(known["state"]), "FAILED"), ended)


def _fill(client: Any, ident: str, found: Exported, started: int) -> None:
    from mlflow.entities import Metric, Param

    known = found.details
    parameters = {
        **known["parameters"],
        **{f"resources.{k}": str(v) for k, v in known["execution"]["resources"].items()},
    }
    seconds = known["execution"]["seconds"]
    metrics = [] if seconds is None else [Metric("seconds", seconds, started, 0)]
    ended = int((found.record.get("ended_at") or started / 1000) * 1000)
    for name, total in (found.record.get("metrics") or {}).items():
        metrics.append(Metric(_key(name), float(total["last"]), ended, total["count"]))
    params = [Param(_key(k), v[:_LONGEST]) for k, v in parameters.items()]
    client.log_batch(ident, metrics=metrics, params=params)
    _inputs(client, ident, found)
    with tempfile.TemporaryDirectory(prefix="jupyter_hpc-") as folder:
        _artifacts(Path(folder), found)
        client.log_artifacts(ident, folder)


def _key(name: str) -> str:
    """MLflow takes few characters in names."""
    return "".join(c if c.isalnum() or c in "_-./ " else "_" for c in name)[:250]


def _tags(found: Exported) -> dict[str, str]:
    known = found.details
    run, notebook = known["execution"], known["notebook"]
    tags = {
        TAG: found.run.id,
        "jupyter_hpc.upstream": ",".join(found.upstream),
        "jupyter_hpc.target": run["target"],
        "jupyter_hpc.job": run["native_id"],
        "jupyter_hpc.node": run["node"],
        "jupyter_hpc.environment": known["environment"]["digest"],
        "mlflow.source.type": "NOTEBOOK",
        "mlflow.source.name": notebook.get("path") or known["code"]["label"],
        "mlflow.user": known["user"],
        "mlflow.note.content": known["outcome"]["message"],
    }
    for git in known["git"][:1]:
        tags["mlflow.source.git.commit"] = git["commit"]
        tags["mlflow.source.git.branch"] = git["branch"]
        tags["mlflow.source.git.repoURL"] = git["remote"]
        tags["mlflow.source.git.dirty"] = str(git["dirty"])
    return {k: str(v)[:_LONGEST] for k, v in tags.items() if v}


def _inputs(client: Any, ident: str, found: Exported) -> None:
    """Inputs as datasets; their digests are longer there, so the whole one is in the source."""
    from mlflow.entities import Dataset, DatasetInput, InputTag

    items = [i for i in found.details["inputs"] if i.get("digest") and i.get("shape")]
    if not items:
        return
    datasets = [
        DatasetInput(
            Dataset(
                str(item["name"]),
                str(item["digest"]).partition(":")[2][:36],
                "jupyter_hpc",
                json.dumps({"digest": item["digest"], "run": (item.get("origin") or {}).get("run")}),
            ),
            [InputTag("mlflow.data.context", "input")],
        )
        for item in items
    ]
    client.log_inputs(ident, datasets)


def _artifacts(folder: Path, found: Exported) -> None:
    known = found.details
    (folder / "cell.py").write_text(encodable(known["code"]["text"]), encoding="utf-8")
    (folder / "record.json").write_text(json.dumps(found.record, indent=1), encoding="utf-8")
    (folder / "requirements.txt").write_text(encodable(requirements(found)), encoding="utf-8")
    for number, git in enumerate(known["git"]):
        if git["diff"]:
            (folder / f"uncommitted-{number}.diff").write_text(encodable(git["diff"]), encoding="utf-8")

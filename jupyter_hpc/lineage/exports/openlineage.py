"""OpenLineage events of runs: a START and an end for each, sent where the user's configuration says, or to a file."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator, Sequence
from datetime import datetime, timezone
from typing import Any

from ..._version import __version__
from ...model.exceptions import HPCError
from ...rundir.store import Store
from ..ask.details import Details
from .collect import Exported, missing

NAMESPACE = "jupyter_hpc"
PRODUCER = f"https://pypi.org/project/jupyter-hpc/{__version__}"
_ENDS = {"COMPLETED": "COMPLETE", "CANCELLED": "ABORT"}  # all others that are over: FAIL


def run_uuid(run_id: str) -> str:
    """Return the UUID of a run: OpenLineage knows runs by no other ids."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{NAMESPACE}:{run_id}"))


def emit(runs: Sequence[Exported], store: Store, to: str | None = None) -> str:
    """Send the events of runs, the earliest first.

    Raises
    ------
    HPCError
        If openlineage-python isn't installed, nothing is configured, or the receiver refuses.
    """
    client = _client(to)
    count = 0
    try:
        for found in reversed(runs):
            for event in events(found, store):
                client.emit(event)
                count += 1
        client.close()
    except Exception as error:  # each transport has errors of its own
        raise HPCError(
            f"OpenLineage's {client.transport.kind} transport failed: {error}",
            hint="OPENLINEAGE_URL, openlineage.yml and OPENLINEAGE__ variables configure it.",
        ) from error
    where = to or getattr(client.transport, "url", None) or client.transport.kind
    return f"Sent {count} OpenLineage events of {len(runs)} runs to {where}."


def _client(to: str | None) -> Any:
    try:
        from openlineage.client import OpenLineageClient, facet_v2
    except ImportError:
        raise missing("openlineage-python", "openlineage") from None
    facet_v2.set_producer(PRODUCER)
    if to is not None:
        file = {"type": "file", "log_file_path": os.path.abspath(to), "append": True}
        return OpenLineageClient(config={"transport": file})
    client = OpenLineageClient()
    if client.transport.kind == "console":  # what the library takes when nothing is configured
        raise HPCError(
            "Nothing says where OpenLineage events go.",
            hint="Set OPENLINEAGE_URL, write an openlineage.yml, or give a file: --to events.jsonl",
        )
    return client


def events(found: Exported, store: Store) -> Iterator[Any]:
    """Yield the run's START event and, if it is over, its last one."""
    from openlineage.client import event_v2 as ol

    known, record = found.details, found.record
    job = ol.Job(NAMESPACE, job_name(known), facets=dict(_job_facets(known)))
    run = ol.Run(run_uuid(found.run.id), facets=dict(_run_facets(found)))
    inputs = [_dataset(ol.InputDataset, store, item, "used") for item in _items(known, "inputs", "used")]
    outputs = [_dataset(ol.OutputDataset, store, item, "made") for item in _items(known, "outputs", "generated")]
    shared: dict[str, Any] = {"run": run, "job": job, "producer": PRODUCER, "inputs": inputs}
    started = record.get("started_at") or record["created"]
    yield ol.RunEvent(eventTime=_time(started), eventType=ol.RunState.START, outputs=[], **shared)
    if record.get("ended_at") or record.get("verdict"):
        end = getattr(ol.RunState, _ENDS.get(str(record.get("state")), "FAIL"))
        yield ol.RunEvent(eventTime=_time(record.get("ended_at") or started), eventType=end, outputs=outputs, **shared)


def job_name(known: Details) -> str:
    """Return what stays the same from run to run: the cell in its notebook, else the job's name or function."""
    notebook = known["notebook"]
    if notebook.get("cell_id"):
        return f"{os.path.basename(notebook.get('path') or 'notebook')}/{notebook['cell_id']}"
    return str(known["name"] or known["code"]["label"] or known["id"])


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, timezone.utc).isoformat()


def _items(known: Details, values: str, role: str) -> list[dict[str, Any]]:
    data = [v for v in known[values] if v.get("digest") and not str(v.get("type")).startswith("builtins.module")]
    files = [{**f, "is_file": True} for f in known["files"] if f.get("role") == role]
    return [*data, *files]


def _job_facets(known: Details) -> Iterator[tuple[str, Any]]:
    from openlineage.client import facet_v2 as facets

    code = known["code"]
    yield "sourceCode", facets.source_code_job.SourceCodeJobFacet("python", code["text"])
    kind = "CELL" if known["kind"] == "cell" else str(known["kind"]).upper()
    yield "jobType", facets.job_type_job.JobTypeJobFacet("BATCH", "JUPYTER_HPC", kind)
    for found in known["git"][:1]:
        url = found["remote"] or f"file://{found['path']}"
        yield (
            "sourceCodeLocation",
            facets.source_code_location_job.SourceCodeLocationJobFacet(
                "git",
                url,
                repoUrl=url,
                path=known["notebook"].get("path"),
                version=found["commit"],
                branch=found["branch"],
            ),
        )


def _run_facets(found: Exported) -> Iterator[tuple[str, Any]]:
    from openlineage.client import facet_v2 as facets
    from openlineage.client.facet_v2 import execution_parameters_run, job_dependencies_run

    known = found.details
    run, session = known["execution"], known["notebook"].get("session")
    yield (
        "processing_engine",
        facets.processing_engine_run.ProcessingEngineRunFacet("", name=str(run["backend"])),
    )
    parameters = {**{k: str(v) for k, v in run["resources"].items()}, **known["parameters"]}
    yield (
        "executionParameters",
        execution_parameters_run.ExecutionParametersRunFacet(
            [execution_parameters_run.ExecutionParameter(key=k, value=v) for k, v in parameters.items()]
        ),
    )
    if session:
        name = known["notebook"].get("path") or f"kernel {session}"
        yield (
            "parent",
            facets.parent_run.ParentRunFacet(
                facets.parent_run.Run(run_uuid(session)), facets.parent_run.Job(NAMESPACE, name)
            ),
        )
    if found.upstream:
        upstream = [
            job_dependencies_run.JobDependency(
                job_dependencies_run.JobIdentifier(NAMESPACE, each),
                job_dependencies_run.RunIdentifier(run_uuid(each)),
            )
            for each in found.upstream
        ]
        yield "jobDependencies", job_dependencies_run.JobDependenciesRunFacet(upstream)
    if known["outcome"]["error"]:
        message = known["outcome"]["message"] or known["outcome"]["error"]
        yield "errorMessage", facets.error_message_run.ErrorMessageRunFacet(message, "python")
    yield from _own_facets(found)


def _own_facets(found: Exported) -> Iterator[tuple[str, Any]]:
    """What the standard has no word for: the environment, and the job as the scheduler knew it."""
    import attr
    from openlineage.client.facet_v2 import RunFacet

    @attr.define
    class PythonEnvironment(RunFacet):
        python: str | None
        platform: str | None
        digest: str | None
        packages: dict[str, str]

        @staticmethod
        def _get_schema() -> str:
            return f"{PRODUCER}#python_environment"

    @attr.define
    class HpcJob(RunFacet):
        runId: str  # noqa: N815 as the standard writes names
        target: str
        nativeId: str  # noqa: N815
        node: str
        gpus: list[Any]
        state: str

        @staticmethod
        def _get_schema() -> str:
            return f"{PRODUCER}#hpc_job"

    known = found.details
    own, run = known["environment"], known["execution"]
    yield (
        "python_environment",
        PythonEnvironment(own["python"], own["platform"], own["digest"], own["packages"]),
    )
    yield (
        "hpc_job",
        HpcJob(found.run.id, run["target"], run["native_id"], run["node"], list(run["gpus"]), str(known["state"])),
    )


def _dataset(kind: Any, store: Store, item: dict[str, Any], role: str) -> Any:
    """A value is known by its content, a file by its place; both have their digest as version."""
    from openlineage.client import facet_v2 as facets

    digest = item.get("digest")
    shared: dict[str, Any] = {}
    if digest:
        shared["version"] = facets.dataset_version_dataset.DatasetVersionDatasetFacet(digest)
    shared["documentation"] = facets.documentation_dataset.DocumentationDatasetFacet(
        f"{item.get('name') or ''} ({item.get('type') or 'file'})"
    )
    if item.get("is_file"):
        where = {"namespace": "file", "name": str(item.get("path"))}
    else:
        where = {"namespace": f"hpc-cas://{store.root}", "name": str(digest).replace(":", "/")}
    size = item.get("nbytes")
    if role == "used":
        one = facets.input_statistics_input_dataset.InputStatisticsInputDatasetFacet(size=size)
        return kind(**where, facets=shared, inputFacets={"inputStatistics": one})
    two = facets.output_statistics_output_dataset.OutputStatisticsOutputDatasetFacet(size=size)
    return kind(**where, facets=shared, outputFacets={"outputStatistics": two})

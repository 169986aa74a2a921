"""Each export is read back by that standard's own tool: a receiver of events, the validator of crates, MLflow itself."""

from __future__ import annotations

import errno
import http.server
import json
import os
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jupyter_hpc.jobs.job import Job
from jupyter_hpc.lineage.exports import export
from jupyter_hpc.lineage.exports.openlineage import run_uuid
from jupyter_hpc.model.exceptions import HPCError
from jupyter_hpc.rundir.store import Store
from tests.faults.disks import full, needs_root, small_disk
from tests.faults.road import submit


@pytest.fixture
def chain(own_store: Store, tmp_path: Path) -> tuple[Job, Job, Job]:
    """Two runs that led to each other, and one that failed; with a local module and a file."""
    (tmp_path / "helper.py").write_text("K = 3\n")
    one = submit("import numpy as np\nraw = np.arange(200.)\nprint('mean loss=0.5')", "local", name="prepare")
    names = dict(one.result(120))
    text = "import sys\nsys.path.insert(0, '.')\nmodel = raw * 2\nopen('model.pt', 'w').write('weights')\njupyter_hpc.artifact('model.pt')"
    two = submit("import jupyter_hpc\nlr = 0.1\n" + text, "local", names=names, name="train", cpus=1)
    assert two.wait(120) and two.exception(60) is None
    three = submit("raise ValueError('no')", "local", name="fails")
    assert three.wait(120)
    return one, two, three


@pytest.fixture
def receiver() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """An HTTP server that takes events as OpenLineage's API defines: POST /api/v1/lineage."""
    got: list[dict[str, Any]] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            good = self.path == "/api/v1/lineage" and self.headers["Content-Type"] == "application/json"
            if good:
                got.append(json.loads(body))
            self.send_response(201 if good else 400)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", got
    server.shutdown()
    server.server_close()
    thread.join()


def test_openlineage_over_http(
    chain: tuple[Job, Job, Job], receiver: tuple[str, list[dict[str, Any]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two, three = chain
    url, got = receiver
    with pytest.raises(HPCError, match="Nothing says where"):
        export("openlineage", two.id)
    monkeypatch.setenv("OPENLINEAGE_URL", url)
    assert "Sent 4 OpenLineage events of 2 runs" in export("openlineage", two.id)
    assert [(e["eventType"], e["run"]["runId"]) for e in got] == [
        (kind, run_uuid(job.id)) for job in (one, two) for kind in ("START", "COMPLETE")
    ]
    first, last = got[1], got[3]
    made = {(d["namespace"], d["name"]) for d in first["outputs"]}
    assert made & {(d["namespace"], d["name"]) for d in last["inputs"]}  # the graph is connected
    assert "file" in {d["namespace"] for d in last["outputs"]}
    facets = last["run"]["facets"]
    assert facets["python_environment"]["packages"]["numpy"]
    assert facets["hpc_job"]["nativeId"] == two.native_id
    assert facets["jobDependencies"]["upstream"][0]["run"]["runId"] == run_uuid(one.id)
    assert {"key": "lr", "value": "0.1"}.items() <= next(
        p for p in facets["executionParameters"]["parameters"] if p["key"] == "lr"
    ).items()
    assert last["job"]["facets"]["sourceCode"]["sourceCode"].startswith("import jupyter_hpc")
    got.clear()
    export("openlineage", three.id)
    assert got[1]["eventType"] == "FAIL" and "no" in json.dumps(got[1]["run"]["facets"])
    monkeypatch.delenv("OPENLINEAGE_URL")
    monkeypatch.setenv(
        "OPENLINEAGE__TRANSPORT",
        json.dumps({"type": "http", "url": url, "endpoint": "nowhere", "retry": {"total": 0}}),
    )
    with pytest.raises(HPCError, match="transport failed"):
        export("openlineage", three.id)


def test_openlineage_into_a_file_reads_back_with_its_own_library(chain: tuple[Job, Job, Job], tmp_path: Path) -> None:
    export("openlineage", chain[1].id, str(tmp_path / "events.jsonl"))
    lines = (tmp_path / "events.jsonl").read_text().splitlines()
    assert len(lines) == 4
    schema = json.loads(lines[-1])
    assert schema["schemaURL"].startswith("https://openlineage.io/spec/2-0-2/")
    assert schema["producer"].startswith("https://pypi.org/project/jupyter-hpc/")


def validated(crate: Path) -> tuple[bool, str]:
    """Ask the official validator; a process of its own, as its libraries warn of each other."""
    script = str(Path(__file__).with_name("validate_crate.py"))
    options = [
        "--profile-identifier",
        "process-run-crate-0.5",
        "--no-cache",
        "--requirement-severity",
        "REQUIRED",
    ]
    done = subprocess.run(
        [
            sys.executable,
            "-W",
            "ignore",
            script,
            "-y",
            "validate",
            *options,
            "--output-format",
            "json",
            str(crate),
        ],
        capture_output=True,
        text=True,
        timeout=120,
    )
    return done.returncode == 0, done.stdout + done.stderr


def test_a_crate_that_the_official_validator_accepts(chain: tuple[Job, Job, Job], tmp_path: Path) -> None:
    from rocrate.rocrate import ROCrate

    one, two, _ = chain
    for to in (tmp_path / "crate", tmp_path / "crate.zip"):
        assert "2 runs" in export("rocrate", str(tmp_path / "model.pt"), str(to))
    valid, said = validated(tmp_path / "crate.zip")
    assert valid, said[-3000:]
    metadata = tmp_path / "crate" / "ro-crate-metadata.json"
    metadata.write_text(metadata.read_text().replace('"instrument"', '"tool"'))
    assert not validated(tmp_path / "crate")[0]  # it does look
    metadata.write_text(metadata.read_text().replace('"tool"', '"instrument"'))
    crate = ROCrate(tmp_path / "crate")
    actions = {a.id: a for a in crate.get_by_type("CreateAction")}
    assert actions.keys() == {f"#run-{one.id}", f"#run-{two.id}"}
    last = actions[f"#run-{two.id}"]
    made, used = actions[f"#run-{one.id}"]["result"], last["object"]
    assert {e.id for e in made} & {e.id for e in used}
    assert "lr = 0.1" in (tmp_path / "crate" / last["instrument"].id).read_text()
    model = next(e for e in last["result"] if e.id.endswith("model.pt"))
    assert (tmp_path / "crate" / model.id).read_text() == "weights"
    assert "numpy==" in next((tmp_path / "crate" / "environments").glob("*.txt")).read_text()
    assert "ro-crate-metadata.json" in zipfile.ZipFile(tmp_path / "crate.zip").namelist()
    with pytest.raises(HPCError, match="is there already"):
        export("rocrate", two.id, str(tmp_path / "crate"))


def no_space(*_: object, **__: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@needs_root
@pytest.mark.parametrize("name", ["crate", "crate.zip"])
def test_nothing_is_left_of_a_crate_that_has_no_room(chain: tuple[Job, Job, Job], tmp_path: Path, name: str) -> None:
    with small_disk(tmp_path / "small", 1) as folder:
        with full(folder), pytest.raises(HPCError, match=f"{name} can't be written: No space left"):
            export("rocrate", chain[1].id, str(folder / name))
        assert not list(folder.iterdir())
        export("rocrate", chain[1].id, str(folder / name))
        assert [path.name for path in folder.iterdir()] == [name]


def test_mlflow_reads_the_run_back(
    chain: tuple[Job, Job, Job], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import mlflow
    from mlflow import MlflowClient

    one, two, three = chain
    with pytest.raises(HPCError, match="Nothing says where"):
        export("mlflow", two.id)
    uri = f"file://{tmp_path}/mlruns"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "ours")
    with monkeypatch.context() as patch:
        patch.setattr(MlflowClient, "log_artifacts", no_space)
        with pytest.raises(HPCError, match="No space left"):
            export("mlflow", two.id)
    assert "Logged 2 of 2 runs" in export("mlflow", two.id)  # nothing is left of the one that was cut off
    assert "Logged 0 of 2 runs" in export("mlflow", two.id)
    export("mlflow", three.id)
    client = MlflowClient(uri)
    experiment = client.get_experiment_by_name("ours")
    runs = {r.data.tags["jupyter_hpc.run"]: r for r in client.search_runs([experiment.experiment_id])}
    assert runs.keys() == {one.id, two.id, three.id}
    run = runs[two.id]
    assert run.info.status == "FINISHED" and runs[three.id].info.status == "FAILED"
    assert runs[one.id].data.metrics["mean loss"] == 0.5
    assert run.data.params["lr"] == "0.1" and run.data.tags["jupyter_hpc.upstream"] == one.id
    assert run.inputs.dataset_inputs[0].dataset.name == "raw"
    assert {f.path for f in client.list_artifacts(run.info.run_id)} >= {
        "cell.py",
        "record.json",
        "requirements.txt",
    }
    mlflow.set_tracking_uri(None)


def test_a_library_that_is_not_installed_is_named(
    chain: tuple[Job, Job, Job], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for kind, module in (
        ("openlineage", "openlineage.client"),
        ("rocrate", "rocrate.rocrate"),
        ("mlflow", "mlflow"),
    ):
        with monkeypatch.context() as patch:
            patch.setitem(sys.modules, module, None)
            with pytest.raises(HPCError) as caught:
                export(kind, chain[0].id, str(tmp_path / "x"))
            assert f"jupyter-hpc[{kind}]" in caught.value.hint

"""Which runs: every kind of condition, times as people write them, differences between two."""

from __future__ import annotations

from pathlib import Path

import pytest

from jupyter_hpc.lineage.ask import runs as ask
from jupyter_hpc.lineage.ask.compare import difference
from jupyter_hpc.lineage.ask.where import moment
from jupyter_hpc.lineage.index import tags
from jupyter_hpc.lineage.index.index import Index
from jupyter_hpc.model.exceptions import OptionError
from jupyter_hpc.rundir.run import Run
from jupyter_hpc.rundir.store import Store
from tests.lineage.records import START, digest, environment, record, run_id, value, write

REPOSITORY = {
    "of": ["notebook"],
    "path": "/home/ann/work",
    "commit": "abc" + "0" * 37,
    "branch": "main",
    "dirty": False,
}
METRICS = {
    "loss": {"last": 0.4, "min": 0.2, "max": 2.5, "count": 40},
    "val/acc": {"last": "nan", "min": 0.1, "max": 0.9, "count": 40},
}


@pytest.fixture
def some(made: Store) -> Store:
    old, new = (
        environment(made, {"numpy": "1.26.4"}, 0),
        environment(made, {"numpy": "2.4.6", "odd": "not a version"}, 1),
    )
    code = {**record(0)["code"], "sources": [REPOSITORY]}
    write(made, record(0, environment={"digest": old}, code=code, outputs=[value("df", "raw")]))
    failed = {
        "state": "OUT_OF_MEMORY",
        "verdict": {"error": "OutOfMemory", "cause": "cgroup", "message": "too big"},
    }
    files = [{"role": "generated", "path": "/data/model.pt", "digest": digest("f"), "nbytes": 3}]
    write(
        made,
        record(
            1,
            environment={"digest": new},
            inputs=[value("df", "raw")],
            files=files,
            name="train",
            metrics=METRICS,
            **failed,
        ),
    )
    write(made, record(86400 * 2, environment={"digest": new}, outputs=[value("model", "model")], user="bob"))
    tags.add(made, "model", "v3", subject=digest("model"))
    tags.add(made, "model", "bad", subject=run_id(1))
    return made


@pytest.mark.parametrize(
    ("where", "found"),
    [
        ("metric loss", [1]),
        ("metric loss<0.5", [1]),
        ("metric loss < 0.3", []),
        ("metric min loss<0.3 and metric max val/acc >= 0.9", [1]),
        ("metric val/acc>0", []),
        ("package numpy<2", [0]),
        ("package numpy>=2", [172800, 1]),
        ("package NumPy", [172800, 1, 0]),
        ("package odd", [172800, 1]),
        ("package odd>1", []),
        ("package nothing", []),
        (f"input {digest('raw')}", [1]),
        (f"input {digest('raw')[3:15]}", [1]),
        ("input df", [1]),
        ("output df", [0]),
        ("file model.pt", [1]),
        ("file /data/model.pt", [1]),
        ("commit abc", [0]),
        ("commit abd", []),
        ("tag model:v3", [172800]),
        ("tag model", [172800, 1]),
        ("failed", [1]),
        ("out of memory", [1]),
        ("completed", [172800, 0]),
        ("state OUT_OF_MEMORY", [1]),
        ("error OutOfMemory", [1]),
        ("name train", [1]),
        ("user bob", [172800]),
        ("since 2026-09-22 and completed", [172800]),
        ("failed before 2026-09-22", [1]),
        ("failed since 2026-09-22", []),
        ("package numpy>=2 and user ann", [1]),
        ("code # 172800", [172800]),
        ("code %", []),
    ],
)
def test_conditions(some: Store, where: str, found: list[int]) -> None:
    rows = ask.rows(Index(some), where)
    assert [row["run_id"] for row in rows] == [run_id(i) for i in found]


@pytest.mark.parametrize(
    "where",
    [
        "packge numpy",
        "package",
        "package <2",
        "metric",
        "metric loss<low",
        "failed since the flood",
        "'; DROP TABLE run",
    ],
)
def test_what_is_not_understood_is_said_with_what_would_be(some: Store, where: str) -> None:
    with pytest.raises(OptionError) as caught:
        ask.rows(Index(some), where)
    assert caught.value.hint


def test_times_as_people_write_them() -> None:
    assert moment("2h", START) == moment("2 hours ago", START) == START - 7200
    assert moment("3 days ago", START) == START - 3 * 86400
    assert 0 <= START - moment("today", START) < 86400
    assert moment("today", START) - moment("yesterday", START) in (82800, 86400, 90000)
    assert moment("2026-11-01T10:00:00+00:00", START) == 1793527200


def test_runs_is_a_frame_where_there_is_pandas(some: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    import jupyter_hpc

    monkeypatch.setenv("JUPYTER_HPC_ROOT", str(some.root))
    frame = jupyter_hpc.runs("failed")
    assert list(frame["run_id"]) == [run_id(1)]
    assert str(frame["created"].dtype).startswith("datetime64")
    assert list(frame["metrics.loss"]) == [0.4]
    assert len(jupyter_hpc.runs("failed since 1 minutes")) == 0
    monkeypatch.setitem(__import__("sys").modules, "pandas", None)
    assert [row["run_id"] for row in jupyter_hpc.runs(limit=1)] == [run_id(172800)]


def test_a_tag_moves_and_the_last_one_holds(made: Store, index: Index) -> None:
    write(made, record(0))
    write(made, record(1))
    tags.add(made, "model", "best", subject=run_id(0))
    tags.add(made, "model", "best", subject=run_id(1))
    assert [r["run_id"] for r in ask.rows(index, "tag model:best")] == [run_id(1)]
    with pytest.raises(OptionError):
        tags.add(made, "model", "v 3", subject=run_id(1))


def test_two_runs_are_compared_in_every_part(made: Store) -> None:
    environments = [environment(made, {"numpy": v, "same": "1"}, i) for i, v in enumerate(("1.26.4", "2.4.6"))]
    for i, lr in enumerate(("0.01", "0.1")):
        code = {
            "text": f"lr = {lr}\nmodel = fit(X, lr=lr, epochs=3)\n",
            "functions": {"fit": {"source": f"def fit():\n    {i}\n"}},
        }
        write(
            made,
            record(
                i,
                code=code,
                environment={"digest": environments[i]},
                spec={"resources": {"cpus": 2 + i}},
                inputs=[value("X", f"data {i}"), {**value("fit", f"pickle {i}"), "type": "builtins.function"}],
                outputs=[value("model", "same")],
                node=f"n{i}",
                state=("COMPLETED", "FAILED")[i],
                execution={"image": {"name": "lab:3", "id": f"sha256:{i}"}},
            ),
        )
    one, two = (Run(made.runs_directory / run_id(i)) for i in range(2))
    found = difference(made, one, two)
    assert found.code[:5] == [
        "cell:",
        "@@ -1,2 +1,2 @@",
        "-lr = 0.01",
        "+lr = 0.1",
        " model = fit(X, lr=lr, epochs=3)",
    ]
    assert "fit:" in found.code
    assert found.parameters == {"lr": ("0.01", "0.1")}
    assert found.packages == {"numpy": ("1.26.4", "2.4.6")}
    assert found.inputs == {"X": (digest("data 0"), digest("data 1"))} and not found.outputs
    assert found.resources == {"image id": ("sha256:0", "sha256:1"), "cpus": (2, 3)}
    assert found.outcome == {"state": ("completed", "failed"), "node": ("n0", "n1")}
    assert "numpy  1.26.4 → 2.4.6" in found.text
    assert "do not differ" in difference(made, one, one).text
    assert Path(one.path, "record.json").exists()

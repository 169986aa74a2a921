"""Numbers that a cell prints or logs: points of series in its run directory, with where they stand and what they are."""

from __future__ import annotations

import pytest

from jupyter_hpc.testing.notebook import Notebook

POINTS = """
def points(job):
    from jupyter_hpc.rundir.reader import RunReader
    reader = RunReader(job.run, outputs=False)
    reader.poll()
    plain = lambda value: "nan" if value != value else value
    return {name: [each.by, [[x, plain(v)] for _, x, v in each.points]] for name, each in reader.series.items()}
"""

# as people print them, as Lightning and the trainer of transformers do, tqdm (with a postfix) and Keras
FORMS = r"""
import sys
import jupyter_hpc
print("loss=0.31")
print("loss: 0.29 acc: 0.9")
for epoch in (1, 2):
    print(f"epoch {epoch}/3 - val_loss: {1 / epoch:.2f}")
print({"reward": 0.5, "epoch": 1.0})
print({"reward": 1e-3, "epoch": 2.0})
print("step=300 lr=1e-3, took 0.3s at 12:30:05 from 10.0.0.1, version 1.2.3, 1,234 files, 12%")
for i in (1, 2):
    sys.stderr.write(f"\r{50 * i}%|####| {i}/2 [00:0{i}<00:00,  1.00it/s, cost=0.{i}]")
    sys.stderr.flush()
sys.stderr.write("\n")
jupyter_hpc.log(wer=0.25, step=7)
jupyter_hpc.log({"val/wer": float("nan")}, step=8)
print("loss=nan")
print("Epoch 2/2", flush=True)
print("\r1/4 ━━━━ 3s 1s/step - mae: 0.50\r4/4 ━━━━ 4s 1s/step - mae: 0.25")
"""


def test_printed_and_logged_numbers_are_points_with_their_steps(notebook: Notebook) -> None:
    notebook.run(POINTS)
    notebook.remote(FORMS)
    found = notebook.value("points(_hpc)")
    assert found == {
        "loss": ["", [[1, 0.31], [2, 0.29], [3, "nan"]]],
        "val/wer": ["step", [[8.0, "nan"]]],
        "acc": ["", [[1, 0.9]]],
        "val_loss": ["epoch", [[1.0, 1.0], [2.0, 0.5]]],
        "reward": ["epoch", [[1.0, 0.5], [2.0, 0.001]]],
        "lr": ["step", [[300.0, 0.001]]],
        "cost": ["", [[1, 0.1], [2, 0.2]]],
        "wer": ["step", [[7.0, 0.25]]],
        "mae": ["epoch", [[1.25, 0.5], [2.0, 0.25]]],
    }
    assert notebook.value("_hpc.record['metrics']['lr']['last']") == 0.001


@pytest.mark.parametrize(("setting", "kept"), [("logged", {"wer": ["step", [[7.0, 0.25]]]}), ("off", {})])
def test_what_the_setting_leaves_out_is_kept_nowhere(notebook: Notebook, setting: str, kept: object) -> None:
    notebook.run(f"{POINTS}\nimport os; os.environ['JUPYTER_HPC_METRICS'] = {setting!r}")
    try:
        notebook.remote("import jupyter_hpc\njupyter_hpc.log(wer=0.25, step=7)\nprint('epoch 1 loss=0.5 acc=0.9')")
    finally:
        notebook.run("del os.environ['JUPYTER_HPC_METRICS']")
    assert notebook.value("points(_hpc)") == kept
    assert list(notebook.value("_hpc.record['metrics']")) == list(kept)  # type: ignore[call-overload]


def test_parameters_are_what_its_author_would_call_so(notebook: Notebook) -> None:
    notebook.run("HIDDEN = 32\nclass Net:\n    size = HIDDEN\ndef fit(net, rate): return rate * HIDDEN")
    notebook.remote("steps = 3\nfor step in range(steps):\n    print(fit(Net, rate=0.5), end='', flush=True)")
    notebook.run("found = %hpc jobs -n 1")
    assert notebook.value("found.rows[0]['parameters']") == {"HIDDEN": "32", "steps": "3", "rate": "0.5"}

"""What of a cell's code and of what it was sent is a parameter: what its author would call one."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from jupyter_hpc.lineage.ask.constants import constants
from jupyter_hpc.lineage.ask.parameters import _in_code, changed, parameters
from jupyter_hpc.model.exceptions import OptionError
from jupyter_hpc.testing.fake import new_run

LOOP = """
import time
rate = 0.1
steps, seen = 300, []
total = 0
for step in range(200):
    total += rate
    print(f"step {step} loss {total:.3f}", end="\\n", flush=True)
    time.sleep(secs=0.1)
"""
TORCH = """
import torch
from torch import nn, optim
from torch.utils.data import DataLoader
torch.manual_seed(seed=3)
epochs = 20
best = 1e9
model = nn.Sequential(nn.Linear(10, 64, bias=False), nn.Dropout(p=0.2))
optimizer = optim.AdamW(model.parameters(), lr=3e-4, weight_decay=0.01)
loader = DataLoader(data, batch_size=32, shuffle=True, num_workers=4, pin_memory=True)
for epoch in range(epochs):
    for x, y in loader:
        x = x.to(device="cuda", non_blocking=True)
        loss = loss_fn(model(x), y).mean(dim=0, keepdim=True)
        loss.backward(retain_graph=False)
        optimizer.zero_grad(set_to_none=True)
    best = min(best, loss.item())
torch.save(model, "model.pt")
"""
KERAS = """
import tensorflow as tf
model = tf.keras.Sequential([tf.keras.layers.Dense(64, activation="relu", name="first")])
model.compile(optimizer="adam", loss="mse")
history = model.fit(x, y, epochs=10, batch_size=128, verbose=0)
x = tf.zeros((3, 3), dtype="float32", layout="a")
"""
SKLEARN = """
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import train_test_split
X, X_test, y, y_test = train_test_split(X, y, test_size=0.2, random_state=0)
forest = RandomForestClassifier(n_estimators=100, max_depth=None, n_jobs=4, random_state=0).fit(X, y)
print("score:", forest.score(X_test, y_test), sep="\\t", file=None)
"""
PANDAS = """
import pandas as pd
frame = pd.read_csv("in.csv", sep=";", encoding="latin1")
means = frame.groupby("a", sort=False).mean(numeric_only=True)
for key, part in means.groupby("b", sort=True):
    part.to_csv("out.csv", index=False)
df.sort_values("a", ascending=False, inplace=True)
threshold = 0.5
"""
PLOT = """
import matplotlib.pyplot as pyplot
figure, axis = pyplot.subplots(1, 2, figsize=(8, 3), sharex=True)
axis[0].plot(x, y, label="a", lw=2, alpha=0.5)
ax.hist(x, bins=30, density=True)
plt.savefig("out.png", dpi=200, bbox_inches="tight")
sns.heatmap(x, annot=True)
"""
NUMPY = """
import numpy as np
np.random.seed(seed=1)
rng = np.random.default_rng(seed=2)
x = rng.normal(loc=0.0, scale=1.0, size=(3, 3))
y = x.sum(axis=0, keepdims=True).reshape((1, -1), order="F")
n = 1_000
"""
STANDARD = """
import json, subprocess, os, pathlib, argparse
from concurrent.futures import ThreadPoolExecutor
with open("a", mode="w", encoding="utf-8", newline="") as file, ThreadPoolExecutor(max_workers=4) as pool:
    file.write(json.dumps({}, indent=2)); file.reconfigure(errors="replace")
subprocess.run(["ls"], check=True, capture_output=True, timeout=5)
os.makedirs("a", exist_ok=True); pathlib.Path("a").mkdir(parents=True)
"a b".split(maxsplit=1); f"{pool}".encode(errors="ignore")
sorted([3], key=None, reverse=True); max([], default=0); enumerate([], start=1); range(3); int("3", base=10)
"""
SETTINGS = """
from types import SimpleNamespace
config = SimpleNamespace(lr=0.1, layers=[64, 64])
options = dict(dropout=0.5)
names = {"a": 1}
"""
OWN = """
def fit(model, lr, mode="fast"):
    momentum = 0.9
    return model
class Net: ...
net = Net(dim=64, name="small")
fit("resnet", lr=0.1, mode="slow")
simulation.run(dt=0.01, verbose=True)
trainer = Trainer(max_epochs=3)
"""
CELLS: dict[str, tuple[str, dict[str, str]]] = {
    "a loop": (LOOP, {"rate": "0.1"}),
    "torch": (
        TORCH,
        {
            "epochs": "20",
            "seed": "3",
            "p": "0.2",
            "bias": "False",
            "lr": "0.0003",
            "weight_decay": "0.01",
            "batch_size": "32",
            "shuffle": "True",
        },
    ),
    "keras": (
        KERAS,
        {"activation": "'relu'", "optimizer": "'adam'", "loss": "'mse'", "epochs": "10", "batch_size": "128"},
    ),
    "scikit-learn": (
        SKLEARN,
        {"test_size": "0.2", "random_state": "0", "n_estimators": "100", "max_depth": "None"},
    ),
    "tables": (PANDAS, {"threshold": "0.5"}),
    "pictures": (PLOT, {}),
    "numpy": (NUMPY, {"n": "1000", "seed": "1", "seed (of np.random.default_rng)": "2"}),
    "the standard library": (STANDARD, {}),
    "settings": (
        SETTINGS,
        {"names": "{'a': 1}", "lr": "0.1", "layers": "[64, 64]", "dropout": "0.5"},
    ),
    "one's own functions": (
        OWN,
        {"dim": "64", "name": "'small'", "lr": "0.1", "mode": "'slow'", "dt": "0.01", "max_epochs": "3"},
    ),
    "the tour": (
        "rate = 0.1\nmodel = Network(seed=1)\nfor step in range(200):\n    model.train(rate, steps=5)\nprint(1, flush=True)",
        {"rate": "0.1", "seed": "1", "steps": "5"},
    ),
}


def of(code: str, types: dict[str, str] | None = None) -> dict[str, str]:
    return _in_code(constants(code, types))


@pytest.mark.parametrize("name", CELLS)
def test_cells_as_people_write_them(name: str) -> None:
    code, expected = CELLS[name]
    ast.parse(code)
    assert of(code) == expected


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("lr = 0.1\nfor _ in range(3):\n    lr *= 0.9", {"lr": "0.1"}),  # it decays
        ("total = 0\nfor x in y:\n    total += x", {}),
        ("i = 0\nwhile i < 3:\n    i += 1", {}),
        ("i = 3\nfor i in range(4): pass", {}),
        ("best = -1\nbest = max(best, score())", {}),
        ("count = 0\ndef f():\n    global count\n    count += 1", {}),
        ("seed = 3\ndef f():\n    seed = g()", {"seed": "3"}),  # another one
        ("results = []\nby_name = {}\nseen: list = []", {}),
        ("_private = 3\n__version__ = '1'", {}),
        ("rate: float = 0.5", {"rate": "0.5"}),
        (
            "a = 1e999\nb = ...\nc = 2j\nd = -1e-3\ne = None",
            {"a": "1e309", "b": "...", "c": "2j", "d": "-0.001", "e": "None"},
        ),
        ('query = """\nSELECT a\nFROM b\n"""', {}),
        ("text = '" + "a" * 300 + "'", {}),
        ("lr = 0.1\nfit(lr=0.1)", {"lr": "0.1"}),
        ("lr = 0.1\nfit(lr=0.2)", {"lr": "0.1", "lr (of fit)": "0.2"}),
        ("fit(**{'lr': 0.1})\nfit(lr=rate)", {}),
        ("%matplotlib inline\nlr = 0.1", {}),  # no Python
        ("lr = ", {}),
    ],
)
def test_what_varies_is_none(code: str, expected: dict[str, str]) -> None:
    assert of(code) == expected


def test_types_of_what_was_sent_say_whose_a_method_is() -> None:
    code = "table.to_csv('a', index=False, decimal=',')\nmesh.solve(tol=1e-6)\ndf.run(tol=2)"
    types = {"table": "pandas.core.frame.DataFrame", "mesh": "__main__.Mesh", "df": "__main__.Flow"}
    assert of(code, types) == {"tol": "1e-06", "tol (of df.run)": "2"}
    assert of("linalg.solve(lower=True)", {"linalg": "builtins.module"}) == {"lower": "True"}
    assert of("np.pad(x, 3, mode='a', fill=0)", {"np": "builtins.module"}) == {}


def test_what_looks_like_a_secret_is_no_parameter(tmp_path: Path) -> None:
    run = new_run(tmp_path / "20260102-030405-aaaaaa")
    secret = "sk-ant-" + "a1B2c3D4" * 4
    code = f"password = 'hunter2'\nlr = 0.1\nclient(api_key='{secret}', pad_token='[PAD]')\nkey = '{secret}'"
    assert parameters(run, code) == {"lr": "0.1", "pad_token": "'[PAD]'"}


def test_any_constant_can_be_set_and_parameters_are_named() -> None:
    code = "lr = 0.1\nprint(1, flush=True)"
    assert changed(code, {"flush": "False"}, set()) == "lr = 0.1\nprint(1, flush=False)"
    with pytest.raises(OptionError) as caught:
        changed(code, {"rate": "1"}, {"data"})
    assert caught.value.hint == "It has data, lr."

"""Pictures and numbers are shown as the kernel's settings say, without IPython too."""

from __future__ import annotations

import subprocess
import sys

FIGURE = """
import sys
from jupyter_hpc.worker import rich
import matplotlib
matplotlib.use("agg")
from matplotlib import pyplot as plt
figure, axes = plt.subplots()
empty = plt.figure()
axes.plot([1, 2])
options = {"figure_formats": ["svg", "retina", "bogus"], "print_figure_kwargs": {"bbox_inches": None, "dpi": 50}}
data, metadata = rich.format_object(figure, options)
assert data["image/svg+xml"].startswith("<?xml"), data
assert data["image/png"][:8].startswith(b"\\x89PNG")
assert metadata == {"image/png": {"width": 160, "height": 120}}, metadata
assert set(rich.format_object(empty, {})[0]) == {"text/plain"}
assert set(rich.format_object(figure, {})[0]) == {"text/plain", "image/png"}
assert "IPython" not in sys.modules
"""
PRECISION = """
from jupyter_hpc.worker import ipython, rich
class Log:
    def event(self, *args, **fields): print(fields["data"]["text/plain"])
publisher = rich.Publisher(Log())
ipython.install(publisher, {})
publisher.shell_options = {"precision": "%.2f"}
publisher.value(3.14159)
publisher.value([1, {"a": 3.14159}])
"""


def run(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_figure_has_the_formats_that_are_set():
    run(FIGURE)


def test_floats_have_the_precision_that_is_set():
    assert run(PRECISION).split("\n") == ["3.14", "[1, {'a': 3.14}]", ""]

"""What the package shows, and what the README promises, is there."""

from __future__ import annotations

import argparse
import json
import re
from pathlib import Path
from pkgutil import iter_modules

import jupyter_hpc
import jupyter_hpc.exceptions
from jupyter_hpc.commands.catalogue import COMMANDS
from jupyter_hpc.model import exceptions
from jupyter_hpc.model.options import CELL_OPTIONS

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_every_public_name_resolves() -> None:
    for name in jupyter_hpc.__all__:
        assert getattr(jupyter_hpc, name) is not None


SURFACE = [
    "CaptureError",
    "CellExit",
    "CellInterrupted",
    "DependencyNeverSatisfied",
    "DiskFull",
    "EnvironmentMismatch",
    "HPCError",
    "Job",
    "JobCancelled",
    "JobError",
    "JobLost",
    "JobNotFound",
    "JobState",
    "NoSharedDisk",
    "NodeFailed",
    "NotOurs",
    "OptionError",
    "OutOfMemory",
    "Preempted",
    "ProcessDied",
    "RemoteError",
    "Resources",
    "ResultError",
    "SegmentationFault",
    "SubmissionError",
    "TargetError",
    "TasksFailed",
    "TimeLimitExceeded",
    "UndefinedName",
    "UnpicklableInput",
    "__version__",
    "artifact",
    "attach",
    "carry_setting",
    "lineage",
    "log",
    "runs",
    "submit",
]


def test_the_surface_grows_on_purpose_only() -> None:
    assert sorted(jupyter_hpc.__all__) == sorted(SURFACE)
    for name in SURFACE:
        found = getattr(jupyter_hpc, name)
        if name not in ("__version__", "lineage"):  # a text, and a package that can be called
            assert found.__module__ == "jupyter_hpc", name


def test_errors_that_people_catch_are_at_the_top_and_in_exceptions() -> None:
    classes = [c for c in vars(exceptions).values() if isinstance(c, type) and issubclass(c, exceptions.HPCError)]
    assert {c.__name__ for c in classes} == set(jupyter_hpc.exceptions.__all__) <= set(SURFACE)
    assert {c.__module__ for c in classes} == {"jupyter_hpc"}
    assert all(getattr(jupyter_hpc, c.__name__) is c is getattr(jupyter_hpc.exceptions, c.__name__) for c in classes)


def test_no_package_takes_the_place_of_a_function() -> None:
    """Importing one of that name would."""
    names = {module.name for module in iter_modules(jupyter_hpc.__path__)}
    assert names & set(SURFACE) == {"lineage"} and callable(jupyter_hpc.lineage)


def test_the_readme_names_only_what_exists() -> None:
    flags = {flag for option in CELL_OPTIONS for flag in option.flags}
    for command in COMMANDS.values():
        parser = argparse.ArgumentParser()
        command.arguments(parser)
        flags |= set(parser._option_string_actions)
    for flag in re.findall(r"(?<![\w-])--[a-z][a-z-]+", README):
        assert flag in flags
    for line in re.findall(r"%hpc ([a-z]+)", README):
        assert line in COMMANDS
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"^    make ([a-z]+)", README, re.MULTILINE)) <= targets


def test_every_error_has_a_code_of_its_own_and_survives_pickling() -> None:
    import pickle

    classes = [c for c in vars(exceptions).values() if isinstance(c, type) and issubclass(c, exceptions.HPCError)]
    codes = [c.code for c in classes]
    assert len(set(codes)) == len(codes)
    for cls in classes:
        error = pickle.loads(pickle.dumps(cls("what happened", hint="what to do")))
        assert type(error) is cls
        assert str(error) == "what happened\nwhat to do"


def test_the_table_of_options_is_the_declaration() -> None:
    """Write it anew with ``markdown_table()`` when an option changes."""
    from jupyter_hpc.magics.help import markdown_table

    assert markdown_table().strip() in (ROOT / "docs" / "options.md").read_text(encoding="utf-8")


def test_the_sidebar_has_the_packages_version() -> None:
    assert json.loads((ROOT / "labextension" / "package.json").read_text())["version"] == jupyter_hpc.__version__

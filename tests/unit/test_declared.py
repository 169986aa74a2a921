"""An option is said once, in its field; whoever needs it takes it from there."""

from __future__ import annotations

import dataclasses
import functools
import inspect
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

import jupyter_hpc
from jupyter_hpc import OptionError
from jupyter_hpc.backends.kubernetes import KubernetesBackend
from jupyter_hpc.backends.local import LocalBackend
from jupyter_hpc.backends.slurm import SlurmBackend
from jupyter_hpc.capture.request import ARGS, KWARGS, Request
from jupyter_hpc.commands import catalogue, jobs
from jupyter_hpc.jobs import submit as submitting
from jupyter_hpc.model.cell_arguments import CellArguments
from jupyter_hpc.model.declaration import changing_result, declared
from jupyter_hpc.model.options import RESUBMIT_OPTIONS
from jupyter_hpc.model.redaction import MARK
from jupyter_hpc.model.resources import Resources
from jupyter_hpc.model.spec import JobSpec
from jupyter_hpc.rundir.run import Run
from jupyter_hpc.submission import resubmit as resubmission
from jupyter_hpc.targets.target import Target

PACKAGE = Path(jupyter_hpc.__file__).parent
HERE = Path(__file__).parent
FIELD = """\
    colour: str | None = option(
        "-k --colour", "NAME", "colour of the node's lamp", "scheduler", only=SLURM, instead="Paint it.",
        changes_result=True,
    )
"""


# -- one more option, in a copy of the package ------------------------------------------------------


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What `declared_elsewhere.py` finds of an option whose field is all that a copy of the package has of it."""
    folder = tmp_path_factory.mktemp("copy")
    shutil.copytree(PACKAGE, folder / "jupyter_hpc", ignore=shutil.ignore_patterns("labextension", "__pycache__"))
    spec = folder / "jupyter_hpc" / "model" / "spec.py"
    text = spec.read_text(encoding="utf-8")
    place = "    name: str | None = option("
    assert text.count(place) == 1
    spec.write_text(text.replace(place, FIELD + place), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, str(HERE / "declared_elsewhere.py")],
        env={"PYTHONPATH": str(folder), "JUPYTER_HPC_ROOT": str(folder / "root"), "HOME": str(folder)},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    assert answer["package"].startswith(str(folder)), "it looked at another copy"
    return answer


def test_the_parser_the_help_and_the_table_of_the_docs_have_it(found: dict[str, Any]) -> None:
    assert found["parsed"] == ["red", "blue"]
    assert "-k, --colour NAME" in found["help"]
    assert "colour of the node's lamp" in found["help"]
    assert "| `-k, --colour NAME` | scheduler | colour of the node's lamp |" in found["table"]


def test_completion_offers_it(found: dict[str, Any]) -> None:
    assert found["completed"] == ["--colour"]
    assert found["completed_of_resubmit"] == []  # with another value it is another run
    assert found["misspelt"] == "Did you mean --colour? Try %%slurm --help."


def test_submit_takes_it(found: dict[str, Any]) -> None:
    assert "colour: 'str | None' = None" in found["signature"]
    assert "colour : str | None\n    Colour of the node's lamp." in found["doc"]
    assert found["submitted"] == "red"


def test_backends_that_have_it_not_refuse_it(found: dict[str, Any]) -> None:
    refused = "--colour is for Slurm, which this target is not.\nPaint it."
    assert found["refused"] == {"slurm": "", "kubernetes": refused, "local": refused}


def test_a_record_and_a_targets_defaults_have_it(found: dict[str, Any]) -> None:
    assert found["recorded"] == {"colour": "red", "resources": {}}
    assert found["read_back"] is True
    assert found["of_an_old_record"] is None
    assert found["defaulted"] == ["red", "blue"]


def test_reuse_looks_for_its_like(found: dict[str, Any]) -> None:
    assert found["keys"] == [True, False]


# -- submit() --------------------------------------------------------------------------------------


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What `submit()` would send."""
    found: dict[str, Any] = {}

    def send(request: Request, target: str, spec: JobSpec, *, reuse: bool = False) -> None:
        found.update(request=request, on=target, spec=spec, reuse=reuse)

    monkeypatch.setattr(submitting, "submit_request", send)
    return found


def test_the_signature_is_the_options() -> None:
    own = {"on", "reads", "writes", "reuse"}
    options = {o.dest: o for cls in (Resources, JobSpec, CellArguments) for o in declared(cls)}
    expected = {n: o for n, o in options.items() if n in own or o not in declared(CellArguments)}
    parameters = inspect.signature(jupyter_hpc.submit).parameters
    keywords = {n: p for n, p in parameters.items() if p.kind is p.KEYWORD_ONLY}
    assert set(keywords) == set(expected)
    assert {n: p.default for n, p in keywords.items()} == {n: o.default for n, o in expected.items()}
    assert all(f"\n{name} : {p.annotation}\n" in str(jupyter_hpc.submit.__doc__) for name, p in keywords.items())
    assert list(parameters)[:3] == ["function", "args", "on"]
    assert list(parameters)[-1] == "kwargs"


def test_every_field_of_the_spec_is_an_option_but_those_that_no_user_sets() -> None:
    fields = {f.name for cls in (JobSpec, Resources) for f in dataclasses.fields(cls)}
    options = {o.dest for cls in (JobSpec, Resources) for o in declared(cls)}
    assert fields - options == {"resources", "prologue", "gpu_type"}


@pytest.mark.parametrize(
    ("given", "field", "value"),
    [
        ({"image": "python:3.12"}, "image", "python:3.12"),
        ({"queue": "team"}, "queue", "team"),
        ({"retries": 2}, "retries", 2),
        ({"retries": "3"}, "retries", 3),
        ({"patch": "{spec: {}}"}, "patch", "{spec: {}}"),
        ({"passthrough": ("--begin=now+1hour",)}, "passthrough", ("--begin=now+1hour",)),
        ({"modules": "gcc"}, "modules", ("gcc",)),
        ({"modules": ["gcc", "cuda"]}, "modules", ("gcc", "cuda")),
        ({"env": {"A": "1"}}, "env", {"A": "1"}),
        ({"env": None}, "env", {}),
        ({"account": 4711}, "account", "4711"),
        ({"venv": Path("/v")}, "venv", "/v"),
        ({"dependency": "1:2"}, "dependency", "1:2"),
        ({"requeue": True}, "requeue", True),
        ({"requeue": None, "modules": None, "time": None, "partition": None}, "modules", ()),
    ],
)
def test_an_option_goes_to_the_spec_and_not_to_the_function(
    sent: dict[str, Any], given: dict[str, Any], field: str, value: object
) -> None:
    jupyter_hpc.submit(max, 1, 2, key=abs, **given)
    assert sent["spec"] == dataclasses.replace(JobSpec(), **{field: value})
    assert (sent["request"].namespace[ARGS], sent["request"].namespace[KWARGS]) == ((1, 2), {"key": abs})


def test_resources_and_what_is_the_calls_own_arrive(sent: dict[str, Any]) -> None:
    jupyter_hpc.submit(len, [], on="k8s", memory="4G", gpus="a100:2", reads="a.csv", writes=["b"], reuse=True)
    assert sent["spec"] == JobSpec(Resources(memory=4 << 30, gpus=2, gpu_type="a100"))
    assert (sent["on"], sent["reuse"]) == ("k8s", True)
    assert (sent["request"].reads, sent["request"].writes) == (("a.csv",), ("b",))


def plain(data: object) -> object:
    return data


def anything(**config: object) -> object:
    return config


def near(gpu: object, *, model: object = None) -> object:
    return gpu, model


@pytest.mark.parametrize(
    ("function", "keyword", "meant"),
    [
        (plain, "memry", "memory"),
        (plain, "mem", "memory"),
        (plain, "partiton", "partition"),
        (plain, "module", "modules"),
        (plain, "cpus_per_task", "cpus"),
        (plain, "job_name", "name"),
        (plain, "retry", "retries"),
        (len, "gpu", "gpus"),
        (functools.partial(plain, 1), "gpu", "gpus"),
    ],
)
def test_a_misspelt_option_is_refused(
    sent: dict[str, Any], function: Callable[..., Any], keyword: str, meant: str
) -> None:
    with pytest.raises(OptionError, match=f"^{keyword} is not an option of submit") as caught:
        jupyter_hpc.submit(function, **{keyword: "x"})
    assert caught.value.hint == f"Did you mean {meant}?"
    assert sent == {}


@pytest.mark.parametrize(
    ("function", "keyword"),
    [
        *((near, "gpu"), (near, "model"), (anything, "gpu"), (anything, "memry"), (dict, "gpu")),
        *((functools.partial(near, 1), "model"), (functools.partial(anything, a=1), "gpu"), (plain, "data")),
        (plain, "quite_another_thing"),
    ],
)
def test_what_the_function_takes_is_its_own(sent: dict[str, Any], function: Callable[..., Any], keyword: str) -> None:
    """Also what looks like nothing of ours and is taken by nobody: the function itself says so."""
    jupyter_hpc.submit(function, **{keyword: "x"})
    assert sent["request"].namespace[KWARGS] == {keyword: "x"}
    assert sent["spec"] == JobSpec()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"retries": "many"}, "retries must be a whole number from 0 to 999, not 'many'."),
        ({"retries": 1000}, "retries must be a whole number from 0 to 999, not '1000'."),
        ({"retries": True}, "retries must be a whole number, not bool."),
        ({"image": [1]}, "image must be text, not list."),
        ({"requeue": "yes"}, "requeue must be True or False, not str."),
        ({"env": "A=1"}, "env must be a dict of text, not str."),
        ({"modules": 3.5j}, "modules must be text or a list of it, not complex."),
        ({"dependency": [1, "2"]}, "dependency must be text, not list."),
    ],
)
def test_a_value_of_another_kind_is_refused(sent: dict[str, Any], given: dict[str, Any], message: str) -> None:
    with pytest.raises(OptionError) as caught:
        jupyter_hpc.submit(plain, 1, **given)
    assert caught.value.message == message
    assert sent == {}


# -- who has it, defaults, reuse --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spec", "local", "kubernetes", "slurm"),
    [
        (JobSpec(array="1-2"), "--array is for Slurm", "--array is for Slurm", ""),
        (
            JobSpec(passthrough=("--hold",)),
            "What follows -- is for Slurm",
            "What follows -- means nothing",
            "",
        ),
        (JobSpec(retries=0), "--retries is for Kubernetes", "", "--retries is for Kubernetes"),
        (JobSpec(image="x"), "--image is for Kubernetes", "", "--image is for Kubernetes"),
        (JobSpec(partition="x"), "", "--partition means nothing on a kubernetes target", ""),
        (JobSpec(Resources(exclusive=True)), "", "--exclusive means nothing", ""),
    ],
)
def test_a_backend_refuses_what_it_has_not(spec: JobSpec, local: str, kubernetes: str, slurm: str) -> None:
    for backend, words in ((LocalBackend, local), (KubernetesBackend, kubernetes), (SlurmBackend, slurm)):
        if not words:
            backend.check_supported(spec)
            continue
        with pytest.raises(OptionError) as caught:
            backend.check_supported(spec)
        assert caught.value.message.startswith(words)
        assert caught.value.hint


def test_a_backend_of_somebody_else_says_which_it_has_besides() -> None:
    class Arrays(LocalBackend):
        supports = frozenset({"array"})

    Arrays.check_supported(JobSpec(array="1-2"))
    with pytest.raises(OptionError, match="--signal is for Slurm"):
        Arrays.check_supported(JobSpec(signal="TERM"))


def test_defaults_of_a_target_are_read_as_a_calls_options_are() -> None:
    defaults = {"requeue": True, "modules": "gcc", "account": 4711, "retries": 0, "memory": "1G"}
    spec = Target("t", "slurm", defaults=defaults).complete(JobSpec(name="n"))
    assert spec == JobSpec(
        Resources(memory=1 << 30), name="n", requeue=True, modules=("gcc",), account="4711", retries=0
    )
    assert Target("t", "slurm", defaults={"retries": 2}).complete(JobSpec(retries=0)).retries == 0
    for wrong in ({"env": {"A": "1"}}, {"prologue": "exit"}, {"passthrough": ["--hold"]}, {"colour": 1}):
        with pytest.raises(OptionError, match="is not a resource"):
            Target("t", "slurm", defaults=wrong).complete(JobSpec())


def test_runs_of_earlier_versions_can_be_reused() -> None:
    """Their key was made of these."""
    assert set(changing_result(JobSpec)) == {
        *("python", "venv", "conda", "modules", "image", "workdir", "array", "prologue")
    }


def test_zero_is_a_value_that_a_record_keeps() -> None:
    spec = JobSpec(retries=0, modules=("gcc",), requeue=False)
    assert spec.to_record() == {"retries": 0, "modules": ("gcc",), "resources": {}}
    assert JobSpec.from_record(json.loads(json.dumps(spec.to_record()))) == spec


# -- %hpc resubmit ---------------------------------------------------------------------------------


def test_resubmit_takes_what_leaves_the_payload_as_it_is() -> None:
    names = {option.dest for option in RESUBMIT_OPTIONS}
    assert {"memory", "gpus", "exclusive", "partition", "qos", "dependency", "retries"} <= names
    assert not names & {"array", "env", "python", "requirements", "inputs", "on", "passthrough", "reuse"}


def test_resubmits_options_are_read_by_the_same_declarations(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: dict[str, Any] = {}
    monkeypatch.setattr(jobs, "_job", lambda arguments: arguments.run)
    monkeypatch.setattr(submitting, "resubmit", lambda job, **changes: asked.update(job=job, **changes))
    line = ["resubmit", "3f9a", "--mem", "6G", "-p", "gpu", "--retries", "2", "--requeue", "--on", "k8s"]
    _, arguments = catalogue.parse(line, "%hpc")
    jobs.resubmitted(arguments)
    assert asked == {
        "job": "3f9a",
        "target": "k8s",
        "resources": {"memory": "6G"},
        "options": {"partition": "gpu", "retries": 2, "requeue": True},
    }
    _, arguments = catalogue.parse(["resubmit", "3f9a", "--retries", "many"], "%hpc")
    with pytest.raises(OptionError, match="retries must be a whole number from 0 to 999"):
        jobs.resubmitted(arguments)


def a_run(root: Path, **spec: object) -> Run:
    run = Run(root / "runs" / "20261124-055301-3f9a1c")
    run.payload.mkdir(parents=True)
    record = {"id": run.id, "name": spec.get("name"), "target": {"name": "local"}, "code": {}, "spec": spec}
    (run.path / "record.json").write_text(json.dumps(record))
    return run


@pytest.mark.parametrize("name", ["comment", "patch", "constraint"])
def test_a_secret_that_no_record_keeps_is_not_sent_as_its_mark(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec: dict[str, Any] = {"passthrough": [f"--comment={MARK}"]} if name == "comment" else {name: MARK}
    old = a_run(tmp_path, **spec, prologue=MARK)
    monkeypatch.setattr(resubmission, "accepted", lambda target, spec: pytest.fail(f"accepted {spec.patch}"))
    with pytest.raises(OptionError, match="looks like a secret"):
        resubmission.resubmit(old)
    if name == "patch":  # said anew, it can be sent
        with pytest.raises(pytest.fail.Exception, match="accepted"):
            resubmission.resubmit(old, options={"patch": "{spec: {}}"})


def test_the_new_record_has_the_new_name_and_no_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUPYTER_HPC_ROOT", str(tmp_path))
    old = a_run(tmp_path, name="first")
    made: dict[str, Any] = {}
    monkeypatch.setattr(resubmission, "accepted", lambda name, spec: (Target(name, "local"), spec))
    monkeypatch.setattr(resubmission.checked, "payload", nullcontext)  # there is none
    monkeypatch.setattr(resubmission, "launch", lambda run, record, spec, where: made.update(record))
    token = "ghp_" + "a1B2" * 9
    resubmission.resubmit(old, options={"name": "again", "patch": f"{{token: {token}}}"})
    assert (made["name"], made["spec"]["name"], made["resubmits"]) == ("again", "again", old.id)
    assert token not in json.dumps(made)
    assert MARK in made["spec"]["patch"]

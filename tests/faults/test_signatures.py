"""Results and what was sent are signed with a key that only this user and the run's worker know."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from jupyter_hpc.backends.kubernetes.carry import archive
from jupyter_hpc.commands import catalogue as commands
from jupyter_hpc.jobs.changed import load_payload
from jupyter_hpc.jobs.job import Job
from jupyter_hpc.model.exceptions import HPCError, ResultError
from jupyter_hpc.model.spec import JobSpec
from jupyter_hpc.rundir import secret
from jupyter_hpc.rundir.store import store
from jupyter_hpc.submission.resubmit import resubmit
from jupyter_hpc.worker.container import MANIFEST, PICKLE
from jupyter_hpc.worker.digest import digest_file
from jupyter_hpc.worker.signing import KEY, SIGNATURE
from tests.faults.road import is_done, submit, until

SHOWS = """
import os, sys
y = [sorted(os.environ.items()), sys.argv, open('/proc/self/cmdline').read(), open('/proc/self/environ').read()]
parent = open(f'/proc/{os.getppid()}/cmdline').read()
"""


def ended(text: str, names: dict[str, object] | None = None) -> Job:
    job = submit(text, "local", names)
    assert job.wait(120)
    return job


def forge(folder: Path, pickle: bytes) -> None:
    """Put another pickle into a container, as whoever may write there can, with digests that fit."""
    (folder / PICKLE).write_bytes(pickle)
    manifest = json.loads((folder / MANIFEST).read_text())
    manifest["pickle"] = {"size": len(pickle), "digest": digest_file(str(folder / PICKLE))}
    (folder / MANIFEST).write_text(json.dumps(manifest))


def trap() -> bytes:
    import pickle

    class Trap:
        def __reduce__(self) -> tuple[object, ...]:
            return print, ("unpickled!",)

    return pickle.dumps(Trap())


def test_a_forged_result_is_not_unpickled(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    job = ended("y = 1")
    forge(job.run.result, trap())
    with pytest.raises(ResultError, match="signature of another key"):
        job.result()
    assert "unpickled!" not in capsys.readouterr().out


def test_the_result_of_another_run_is_not_taken_for_this_ones(here: Path) -> None:
    job, other = ended("y = 1"), ended("y = 2")
    shutil.rmtree(job.run.result)
    shutil.copytree(other.run.result, job.run.result)
    with pytest.raises(ResultError, match="signature of another key"):
        job.result()


def test_what_was_sent_is_not_taken_for_a_result(here: Path) -> None:
    job = ended("y = x", {"x": 5})
    shutil.rmtree(job.run.result)
    shutil.copytree(job.run.payload, job.run.result)
    with pytest.raises(ResultError, match="signature of another key"):
        job.result()


def test_the_result_of_a_task_is_not_taken_for_anothers(cluster: Path) -> None:
    job = submit("import os\ny = os.environ['SLURM_ARRAY_TASK_ID']", "slurm", array="0-1")
    assert job.result(120)["y"] == {0: "0", 1: "1"}
    first, second = (task.run for task in job.tasks)
    until(lambda: not (job.run.path / KEY).exists(), "the key is gone with the array's end")
    shutil.rmtree(first.result)
    shutil.copytree(second.result, first.result)
    with pytest.raises(ResultError, match="signature of another key"):
        job.tasks[0].result()


def test_forged_inputs_are_loaded_and_sent_nowhere(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A new kernel loads what another one sent, and `resubmit` runs it."""
    job = ended("y = x", {"x": 5})
    forge(job.run.payload, trap())
    with pytest.raises(ResultError, match="signature of another key"):
        load_payload(job.run, None, is_foreign=True)
    before = store().runs()
    with pytest.raises(ResultError, match="signature of another key"):
        resubmit(job.run)
    assert store().runs() == before
    assert "unpickled!" not in capsys.readouterr().out


def test_a_job_that_is_submitted_again_is_signed_again(here: Path) -> None:
    job = ended("y = x", {"x": 5})
    signature = (job.run.payload / SIGNATURE).read_bytes()
    again = Job(resubmit(job.run))
    assert again.result(120) == {"y": 5}
    assert (job.run.payload / SIGNATURE).read_bytes() == signature
    assert (again.run.payload / SIGNATURE).read_bytes() != signature
    assert Job(resubmit(again.run)).result(60) == {"y": 5}


def test_the_key_is_seen_by_nobody_else(here: Path) -> None:
    waits = "import os, time\nwhile not os.path.exists(go): time.sleep(0.01)\n"
    job = submit(waits + SHOWS, "local", {"go": str(here / "go")})
    key = secret.key_of(job.run)
    path = job.run.path / KEY
    assert path.read_bytes() == key
    assert path.stat().st_mode & 0o777 == 0o600
    (here / "go").touch()
    seen = str(job.result(120))
    assert key.hex() not in seen
    assert repr(key)[2:-1] not in seen
    until(lambda: not path.exists(), "the key is gone when the job has ended")
    assert secret.secret_path().stat().st_mode & 0o777 == 0o600
    assert store().root not in secret.secret_path().parents
    kept = secret.secret_path().read_bytes()
    until(lambda: is_done(job.run), "nobody writes there any more")
    for file in (p for p in here.rglob("*") if p.is_file() and p != secret.secret_path()):
        data = file.read_bytes()
        assert not any(each in data for each in (key, key.hex().encode(), kept, kept.hex().encode())), file


def test_a_new_kernel_of_the_same_user_knows_the_key(here: Path) -> None:
    job = ended("y = len(x)", {"x": [1, 2]})
    code = (
        "from jupyter_hpc.jobs.job import Job\nfrom jupyter_hpc.rundir.store import store\n"
        f"print(Job(store().find({job.id!r})).result())"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert found.stdout.strip() == "{'y': 2}", found.stderr


def test_another_users_kernel_does_not(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    job = ended("y = 1")
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(here / "another"))
    with pytest.raises(ResultError, match="signature of another key") as caught:
        job.result()
    assert f"%hpc trust {job.id}" in caught.value.hint
    assert run("trust", job.id).startswith("Signed as yours")
    assert job.result() == {"y": 1}


def run(*words: str) -> str:
    name, arguments = commands.parse(words, "%hpc")
    return commands.COMMANDS[name].run(arguments)


def test_results_of_before_are_not_lost(here: Path) -> None:
    """They have no signature: whose they are is for the user to say, once."""
    job = ended("class A: pass\ny = x", {"x": 5})
    for folder in (job.run.payload, job.run.result):
        (folder / SIGNATURE).unlink()
    with pytest.raises(ResultError, match="is not signed") as caught:
        job.result()
    assert f"%hpc trust {job.id}" in caught.value.hint
    with pytest.raises(ResultError, match="is not signed"):
        resubmit(job.run)
    assert run("trust", job.id) == (
        f"Signed as yours: what it was sent and what it made are loaded from now on. ({job.id})"
    )
    assert job.result()["y"] == 5
    assert Job(resubmit(job.run)).result(60)["y"] == 5


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a file away")
def test_what_others_could_have_written_can_not_be_trusted(here: Path) -> None:
    job = ended("y = 1")
    (job.run.result / SIGNATURE).unlink()
    os.chown(job.run.result / MANIFEST, 12345, 12345)
    with pytest.raises(HPCError, match="not yours alone"):
        run("trust", job.id)
    assert not (job.run.result / SIGNATURE).exists()


@pytest.mark.parametrize("damage", ["modes", "length", "link", "owner", "folder"])
def test_a_secret_that_others_may_know_signs_nothing(here: Path, damage: str) -> None:
    ended("y = 1")
    path = secret.secret_path()
    if damage == "modes":
        path.chmod(0o640)
    elif damage == "length":
        path.write_bytes(b"short")
    elif damage == "owner":
        os.chown(path, 12345, 12345)
    else:
        os.rename(path, here / "elsewhere")
        path.mkdir() if damage == "folder" else path.symlink_to(here / "elsewhere")
    with pytest.raises(HPCError, match="secret") as caught:
        submit("y = 2", "local")
    assert str(path) in caught.value.message
    assert caught.value.hint
    assert len(store().runs()) == 1


def test_many_kernels_make_one_secret(here: Path) -> None:
    code = "from jupyter_hpc.rundir.secret import user_mac; print(user_mac(b'x'))"
    started = [subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) for _ in range(4)]
    assert len({process.communicate(timeout=120)[0] for process in started}) == 1
    assert [p.name for p in secret.secret_path().parent.iterdir()] == [secret.FILE]


def test_a_pod_signs_with_the_key_that_came_with_its_request(here: Path) -> None:
    """The key travels in the Secret: not among the files, which may go through an object store, and not back."""
    job = ended("y = len(x)", {"x": [1, 2]})
    shutil.rmtree(job.run.result)
    secret.begin(job.run)
    assert KEY not in {name.rpartition("/")[2] for name in archive.files(job.run)}
    request = here / "request.zip"
    request.write_bytes(archive.build(job.run, JobSpec(), store().worker_directory(), {}).data)
    start = (
        f"import sys; sys.path.insert(0, {str(request)!r}); from jupyter_hpc_worker import carrier; "
        f"carrier.ROOT = {str(here / 'pod')!r}; carrier.main()"
    )
    told = subprocess.run([sys.executable, "-c", start], capture_output=True, timeout=120, cwd=here)
    assert secret.key_of(job.run).hex() not in told.stdout.decode()
    assert (here / "pod/run/key").stat().st_mode & 0o777 == 0o600
    shutil.copytree(here / "pod/run/result", job.run.result)
    assert job.result() == {"y": 2}


def test_a_pod_that_is_told_to_end_before_it_has_its_payload_was_stopped(here: Path) -> None:
    """By its exit code: it did not refuse, so it was cancelled, and nothing is wrong with its environment."""
    job = ended("y = len(x)", {"x": os.urandom(3 << 20)})
    secret.begin(job.run)
    request = here / "request.zip"
    request.write_bytes(archive.build(job.run, JobSpec(), store().worker_directory(), {}).data)
    start = (
        f"import sys; sys.path.insert(0, {str(request)!r}); from jupyter_hpc_worker import carrier; "
        f"carrier.ROOT = {str(here / 'pod')!r}; carrier.main()"
    )
    pod = subprocess.Popen([sys.executable, "-c", start], stdout=subprocess.PIPE, cwd=here)
    assert pod.stdout is not None
    assert b'"wants"' in next(line for line in pod.stdout if b'"wants"' in line)
    pod.terminate()
    [end] = [json.loads(line)["end"] for line in pod.stdout if b'"end"' in line]
    pod.stdout.close()
    assert end == {"exit": 143, "signalled": 15}
    assert pod.wait(120) == 143

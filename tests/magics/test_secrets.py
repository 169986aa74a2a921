"""What looks like a secret is nowhere in what a run leaves, wherever it was planted."""

from __future__ import annotations

import os
import secrets
import string
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from jupyter_hpc.model.redaction import MARK, all_redacted, is_secret, redacted, without_credentials
from jupyter_hpc.testing.notebook import Notebook
from tests.conftest import Sandbox

LETTERS = string.ascii_letters + string.digits


def some(length: int, alphabet: str = LETTERS) -> str:
    return "".join(secrets.choice(alphabet) for _ in range(length))


HEX = "0123456789abcdef"
KINDS = {  # a variable that usually holds it, and what it looks like
    "GITHUB_TOKEN": f"ghp_{some(36)}",
    "GH_PAT": f"github_pat_{some(22)}_{some(59)}",
    "GITLAB_TOKEN": f"glpat-{some(20)}",
    "AWS_ACCESS_KEY_ID": f"AKIA{some(16, string.ascii_uppercase + string.digits)}",
    "AWS_SECRET_ACCESS_KEY": some(40),
    "AWS_SESSION_TOKEN": some(120),
    "AZURE_CONNECTION_STRING": f"AccountName=me;AccountKey={some(60)}==",
    "GOOGLE_API_KEY": f"AIza{some(35)}",
    "OPENAI_API_KEY": f"sk-proj-{some(40)}",
    "ANTHROPIC_API_KEY": f"sk-ant-api03-{some(60)}",
    "HF_TOKEN": f"hf_{some(34)}",
    "WANDB_API_KEY": some(40, HEX),
    "SLACK_BOT": f"xoxb-{some(11, string.digits)}-{some(24)}",
    "SLACK_WEBHOOK": f"https://hooks.slack.com/services/T{some(8)}/B{some(8)}/{some(24)}",
    "STRIPE_KEY": f"sk_live_{some(24)}",
    "JWT": f"eyJ{some(20)}.eyJ{some(40)}.{some(43)}",
    "UPLOAD_TOKEN": f"pypi-AgEI{some(80)}",
    "DB_PASSWORD": some(18),
    "DATABASE_URL": f"postgresql://me:{some(16)}@db.example.org/x",
    "DEPLOY_KEY": f"-----BEGIN OPENSSH PRIVATE KEY-----\n{some(64)}\n-----END OPENSSH PRIVATE KEY-----",
    "MLFLOW_TRACKING_PASSWORD": some(20),
    "VAULT": f"hvs.{some(24)}",
}
SECRET_PART = {  # what of a value nobody may find
    "DATABASE_URL": KINDS["DATABASE_URL"].split(":")[2].split("@")[0],
    "DEPLOY_KEY": KINDS["DEPLOY_KEY"].splitlines()[1],
    "AZURE_CONNECTION_STRING": KINDS["AZURE_CONNECTION_STRING"].rpartition("AccountKey=")[2],
}


def git(folder: Path, *words: str) -> None:
    subprocess.run(["git", "-c", "user.name=x", "-c", "user.email=x@example.org", *words], cwd=folder, check=True)


def found_in(folder: Path, kinds: dict[str, str]) -> list[str]:
    """Return which secrets are in which files of a folder."""
    parts = {name: SECRET_PART.get(name, value).encode() for name, value in kinds.items()}
    found = []
    for place, _, names in os.walk(folder):
        for path in (Path(place, name) for name in names):
            data = path.read_bytes()
            found += [f"{name} in {path}" for name, part in parts.items() if part in data]
    return found


@pytest.fixture
def secretive(sandbox: Sandbox, kernel: Notebook) -> Iterator[Notebook]:
    """A kernel whose environment, repository and configuration are full of secrets; its store is its own."""
    folder = Path(tempfile.mkdtemp(prefix="secretive", dir=sandbox.directory))
    environment = {**sandbox.environment, **KINDS, "JUPYTER_HPC_ROOT": str(folder / "hpc")}
    notebook = Notebook("local", environment, folder)
    yield notebook
    notebook.stop()


def test_twenty_kinds_of_secrets_are_recorded_nowhere(secretive: Notebook) -> None:
    assert len(KINDS) >= 20
    notebook, folder = secretive, secretive.directory
    remote = f"https://me:{KINDS['GITHUB_TOKEN']}@example.org/x.git?private_token={KINDS['GITLAB_TOKEN']}"
    (folder / "conf.py").write_text("token = None\n")
    (folder / ".env").write_text("A=1\n")
    git(folder, "init", "-q")
    git(folder, "add", "conf.py", ".env")
    git(folder, "commit", "-qm", "one")
    git(folder, "remote", "add", "origin", remote)
    said = {"said by its name": some(12)}  # in none of the forms
    (folder / "conf.py").write_text(f"token = {KINDS['HF_TOKEN']!r}\npassword = {said['said by its name']!r}\n")
    (folder / ".env").write_text(f"A={KINDS['DB_PASSWORD']}\n")
    notebook.run(f"import os\npairs = [f'--env={{k}}={{os.environ[k]}}' for k in {list(KINDS)}]")
    notebook.run(f"os.environ['HF_TOKEN'] = {KINDS['HF_TOKEN']!r}\ndb = {{'password': {said['said by its name']!r}}}")
    notebook.remote("import os\nx = len(os.environ['DB_PASSWORD'])\n1 / 0", "{pairs} --name a", fails=True)
    notebook.remote("import os\nx = len(os.environ['WANDB_API_KEY'])", "{pairs}")
    assert notebook.value("x") == 40
    assert sorted(notebook.value("_hpc.record['spec']['env']")) == sorted(KINDS)
    notebook.run(
        "import time\nwhile 'sources' not in _hpc.record['code']: time.sleep(0.05)\n"
        "where = _hpc.record['code']['sources'][0]"
    )
    assert notebook.value("where['remote']") == "https://example.org/x.git"
    assert notebook.value("(where['dirty'], where['diff_redacted'])") == (True, True)
    assert found_in(folder / "hpc", KINDS | said) == []


def test_a_secret_in_a_function_and_in_a_parameter_is_beside_the_cell_nowhere(secretive: Notebook) -> None:
    """What travels holds it, of course, and so does a cell's own text, which somebody sent."""
    notebook, store = secretive, secretive.directory / "hpc"
    inside = {name: some(14) for name in ("function", "label", "parameter")}
    notebook.run(f"def connect(password={inside['function']!r}):\n    return len(password)")
    notebook.run(f"api_key = {inside['parameter']!r}")
    cell = f"connect(password={inside['label']!r}), len(api_key)\nx = connect()"
    notebook.remote(cell)
    assert notebook.value("x") == 14
    record = notebook.value("__import__('json').dumps({**_hpc.record, 'code': {**_hpc.record['code'], 'text': ''}})")
    assert [name for name, value in inside.items() if value in record] == []
    shown = notebook.run("%hpc lineage x").result["text/plain"].partition(cell.partition("\n")[0])
    assert [name for name, value in inside.items() if value in shown[0] + shown[2]] == []
    assert [each for each in found_in(store, inside) if "lineage.sqlite" in each or "/cells/" in each] == []
    assert list(store.glob("lineage.sqlite")) and list(store.glob("cells/*.jsonl"))


def test_a_secret_that_is_planted_is_found(tmp_path: Path) -> None:
    """The search of the test above can fail."""
    (tmp_path / "record.json").write_text(KINDS["DEPLOY_KEY"])
    assert found_in(tmp_path, KINDS) == [f"DEPLOY_KEY in {tmp_path / 'record.json'}"]


@pytest.mark.parametrize("name", KINDS)
def test_each_kind_is_known_by_its_name_or_its_form(name: str) -> None:
    assert is_secret(name, KINDS[name])
    secret = SECRET_PART.get(name, KINDS[name])
    for text in (
        f"--export=ALL,{name}={KINDS[name]!r}",
        f"{{spec: {{containers: [{{name: cell, env: [{{name: MY_TOKEN, value: {KINDS[name]!r}}}]}}]}}}}",
    ):
        if "\n" not in secret:
            assert secret not in redacted(text), text
    assert all_redacted({"a": [{name: KINDS[name], "rest": 1}]})["a"][0]["rest"] == 1


@pytest.mark.parametrize(
    "text",
    [
        "--time=30m --mem=4G -- --export=ALL,OMP_NUM_THREADS=4 --mail-type=END",
        "/usr/bin/bash /home/me/.local/jupyter_hpc/runs/20261124-120337-e5549a/job.sh 0 python",
        "{spec: {hostNetwork: true, tolerations: [{key: gpu, operator: Exists}], nodeSelector: {pool: a100}}}",
        "module use /opt/site/modules; ulimit -c 0; export OMP_PROC_BIND=close",
        "b3:8fc59621ec2bd5af74b8f240b8271d10c232ece3bfdeb092b30dd6400dfb900b",
        "tokenizer=bert-base tokens=4096 author=me",
        "registry.example.org/team/image:1.2@sha256:0ab7ad6008bea716884cc776b7c797de66b377a072b63c481f379a79988f5590",
        "git@github.com:team/project.git",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert redacted(text) == text


def test_addresses_lose_credentials_only() -> None:
    assert without_credentials("https://u:p@host.org/a.git?x=1") == "https://host.org/a.git"
    assert without_credentials("git@host.org:a.git") == "git@host.org:a.git"
    assert without_credentials("ssh://git@host.org/a.git") == "ssh://host.org/a.git"
    assert redacted(f"Bearer {some(30)}") == f"Bearer {MARK}"

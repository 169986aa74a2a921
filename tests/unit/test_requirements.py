"""What an environment is built from: the kernel's packages as pins, or a file of the user's."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from jupyter_hpc.capture.environment import requirements
from jupyter_hpc.model.exceptions import OptionError


def pins(packages: dict[str, str], **direct: Any) -> tuple[list[str], dict[str, str]]:
    found = requirements.of_kernel({"packages": packages, "direct": direct})
    return found.lines, dict(found.left_out)


def test_a_local_label_is_a_build_that_the_index_does_not_have() -> None:
    assert pins({"torch": "2.13.0+cpu", "six": "1.17.0"})[0] == ["torch==2.13.0", "six==1.17.0"]


def test_what_was_installed_from_elsewhere_keeps_its_place(tmp_path: Path) -> None:
    lines, left_out = pins(
        {"a": "1", "b": "1", "c": "1", "d": "1", "e": "1", "f": "1"},
        a={
            "url": "https://example.org/a.git",
            "vcs_info": {"vcs": "git", "commit_id": "abc"},
            "subdirectory": "x",
        },
        b={"url": "https://example.org/b-1.whl", "archive_info": {}},
        c={"url": tmp_path.as_uri(), "dir_info": {"editable": True}},
        d={"url": tmp_path.as_uri(), "dir_info": {}},
        e={"url": "file:///home/conda/feedstock_root/e", "dir_info": {}},
        f={"url": "file:///gone/f-1.whl", "archive_info": {}},
    )

    assert lines == [
        "a @ git+https://example.org/a.git@abc#subdirectory=x",
        "b @ https://example.org/b-1.whl",
        "e==1",
        "f==1",
    ]
    assert left_out["c"].startswith("editable")
    assert str(tmp_path) in left_out["d"]


@pytest.mark.parametrize(
    ("name", "version"),
    [
        ("-r /etc/passwd", "1"),
        ("a\n-e .", "1"),
        ("~umpy", "1.0"),
        ("a", "1\n--index-url=x"),
        ("a", "; echo"),
        ("", "1"),
    ],
)
def test_broken_metadata_is_never_a_line_of_its_own(name: str, version: str) -> None:
    assert pins({name: version}) == ([], {name: "its metadata is broken"})


@pytest.mark.parametrize("url", ["https://x/y z.whl", "https://x/\n--index-url=https://z", "no url"])
def test_a_url_with_blanks_is_not_taken(url: str) -> None:
    assert pins({"a": "1"}, a={"url": url, "archive_info": {}}) == (["a==1"], {})


@pytest.mark.parametrize(
    "line",
    [
        "-r more.txt",
        "  --requirement=more.txt",
        "-c pins.txt",
        "-e .",
        "--editable ../lib",
        "./lib",
        "../lib[x]",
    ],
)
def test_a_line_that_names_another_file_is_refused_with_its_number(tmp_path: Path, line: str) -> None:
    path = tmp_path / "requirements.txt"
    path.write_text(f"six\n# a comment\n{line}\n")

    with pytest.raises(OptionError, match=r"Line 3 of requirements.txt"):
        requirements.of_file(str(path))


def test_options_of_an_index_and_hashes_may_stand_in_a_file(tmp_path: Path) -> None:
    path = tmp_path / "a b.txt"
    path.write_text("--index-url https://example.org/simple\nsix==1.17.0 --hash=sha256:00\n\n# no\nnumpy>=2\n")
    found = requirements.of_file(str(path))

    assert found.file == "requirements.txt"
    assert found.lines == ["six==1.17.0 --hash=sha256:00", "numpy>=2"]


def test_a_pylock_is_known_by_its_name(tmp_path: Path) -> None:
    path = tmp_path / "pylock.dev.toml"
    path.write_text('lock-version = "1.0"\n[[packages]]\nname = "six"\nversion = "1.17.0"\n')
    found = requirements.of_file(str(path))

    assert (found.file, found.lines) == ("pylock.toml", ["six==1.17.0"])


@pytest.mark.parametrize("name", ["nothing.txt", "environment.yml", "data.bin", "."])
def test_another_file_is_refused_with_what_is_taken(tmp_path: Path, name: str) -> None:
    (tmp_path / "environment.yml").write_text("a: 1\n")
    (tmp_path / "data.bin").write_bytes(b"\xff\xfe\0")

    with pytest.raises(OptionError, match=r"pylock\.toml"):
        requirements.of_file(str(tmp_path / name))


def test_the_name_of_an_environment_holds_all_that_decides_about_it() -> None:
    one = requirements.Requirements("auto", "lock.txt", "six==1\n")
    other = requirements.Requirements("auto", "lock.txt", "six==2\n")
    names = {one.folder_name(), other.folder_name(), one.folder_name("/x/python"), one.folder_name("", "gcc")}

    assert len(names) == 4
    assert one.folder_name() == requirements.Requirements("elsewhere", "lock.txt", "six==1\n").folder_name()


def test_without_uv_the_sentence_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setitem(sys.modules, "uv", None)

    with pytest.raises(OptionError, match=r"pip install uv"):
        requirements.find_uv()

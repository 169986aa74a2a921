from __future__ import annotations

import dataclasses
import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_hpc.magics.completion import completions
from jupyter_hpc.magics.help import help_text, markdown_table
from jupyter_hpc.magics.parse import parse
from jupyter_hpc.magics.tokens import expand, split_line
from jupyter_hpc.model.cell_arguments import CellArguments
from jupyter_hpc.model.exceptions import OptionError
from jupyter_hpc.model.options import CELL_OPTIONS
from jupyter_hpc.model.resources import Resources
from jupyter_hpc.model.spec import JobSpec

PROG = "%%slurm"
FLAGS = [flag for option in CELL_OPTIONS for flag in option.flags]
CHOICES = {
    "partition": ["gpu", "gpu-big", "cpu"],
    "on": ["slurm", "k8s"],
    "inputs": ["model", "mask"],
}
values = st.text(st.characters(exclude_characters="\0"), min_size=1)
words = st.sampled_from([*FLAGS, "--", "-", "--=", "x", "1", "a100:2", "K=V", "-p=x", "--time=1"])


def read(line: str) -> CellArguments:
    return parse(split_line(line), prog=PROG)


def refusal(call, *args, **kwargs) -> OptionError:
    with pytest.raises(OptionError) as caught:
        call(*args, **kwargs)
    message = caught.value.message
    assert message.endswith(".")
    assert "\n" not in message
    assert len(message) < 250
    return caught.value


@pytest.mark.parametrize(
    ("line", "tokens"),
    [
        ("", []),
        ("  --gpus  1\t--time 30m ", ["--gpus", "1", "--time", "30m"]),
        ("--name 'a b' \"c d\" e\\ f ''", ["--name", "a b", "c d", "e f", ""]),
        ('a"b c"d', ["ab cd"]),
        (r'"a\"b\\c\d"', [r"a\"b\c\d".replace("\\", "", 1)]),
        ("--gpus 1  # don't wait", ["--gpus", "1"]),
        ("# all", []),
        ("a#b '#c' 'd'#e", ["a#b", "#c", "d#e"]),
        ("{name} $name ${x} $(rm -rf) `x` *.py ~ a;b", None),
        ('--env A={d["x y"]} b', ["--env", 'A={d["x y"]}', "b"]),
        ("{a b}{c d} {{x y}}", ["{a b}{c d}", "{{x y}}"]),
        ("{'}' + f(\"{\", 1)} x", ["{'}' + f(\"{\", 1)}", "x"]),
        ("{don't} x", ["{don't}", "x"]),
        ("{x # y} z", ["{x # y}", "z"]),
        ("\"{d['x y']}\" '{' }", ["{d['x y']}", "{", "}"]),
        ("ü 日本 a\u00a0b", ["ü", "日本", "a\u00a0b"]),
    ],
)
def test_a_line_is_split_like_a_shell_would_without_expanding(line, tokens):
    assert split_line(line) == (line.split() if tokens is None else tokens)


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("--name 'a", "unclosed '"),
        ('a "b', 'unclosed "'),
        ('a "b\\"', 'unclosed "'),
        ("a\\", "backslash"),
        ("--name {x", "unclosed {"),
        ("{d['}']", "unclosed {"),
    ],
)
def test_what_is_not_closed_is_refused(line, what):
    assert what in refusal(split_line, line).message


@given(st.lists(st.text()))
def test_any_tokens_that_a_shell_quotes_come_back(tokens):
    assert split_line(shlex.join(tokens)) == tokens


@given(st.text("ab \t'\"\\$-=;é\n"))
def test_without_braces_and_comments_it_is_shlex(line):
    try:
        expected = shlex.split(line)
    except ValueError:
        refusal(split_line, line)
    else:
        assert split_line(line) == expected


@given(st.text() | st.text("ab {}'\"\\# "))
def test_splitting_never_fails_otherwise(line):
    try:
        assert all(isinstance(token, str) for token in split_line(line))
    except OptionError:
        pass


def test_splitting_a_long_line_is_fast():
    assert split_line("--name '" + "x" * 1_000_000 + "'")[1] == "x" * 1_000_000
    assert len(split_line("\\a" * 20_000)[0]) == 20_000
    refusal(split_line, "{" * 100_000)


def test_a_value_is_never_split_again():
    scope = {"{title}": 'a "b" --detach', "{mods}": ["gcc", "cuda 12"], "{n}": 3, "{t}": ("x",)}
    tokens = ["--name", "{title}", "--", "{mods}", "{n}", "{t}", "as is"]
    expanded = expand(tokens, lambda token: scope.get(token, token))
    assert expanded == ["--name", 'a "b" --detach', "--", "gcc", "cuda 12", "3", "x", "as is"]
    assert parse(expanded, prog=PROG).spec.name == 'a "b" --detach'


def test_an_error_while_expanding_is_not_hidden():
    with pytest.raises(KeyError):
        expand(["{x}"], {}.__getitem__)


def test_an_empty_line_is_all_defaults():
    assert read("") == CellArguments()
    assert read("").auto
    assert read("").outputs is None


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("--partition gpu", {"partition": "gpu"}),
        ("--partition=gpu", {"partition": "gpu"}),
        ("-p gpu", {"partition": "gpu"}),
        ("-pgpu", {"partition": "gpu"}),
        ("-A lab --qos high -C 'a100&ib'", {"account": "lab", "qos": "high", "constraint": "a100&ib"}),
        ("--name=-x", {"name": "-x"}),
        ("--name=--", {"name": "--"}),
        ("--name=a=b", {"name": "a=b"}),
        ("--name 'a b'", {"name": "a b"}),
        ("--name a --name b", {"name": "b"}),
        ("--module gcc --module cuda/12", {"modules": ("gcc", "cuda/12")}),
        ("--env A=1 --env B=x=y --env C= --env A=2", {"env": {"A": "2", "B": "x=y", "C": ""}}),
        ("-i a,b --input c,a", {"inputs": ("a", "b", "c")}),
        ("-o 'model, history'", {"outputs": ("model", "history")}),
        ("-O", {"no_outputs": True}),
        ("--no-auto", {"auto": False}),
        ("--detach --dry-run --quiet", {"detach": True, "dry_run": True, "quiet": True}),
        ("--on k8s --workdir /d --conda ml", {"on": "k8s", "workdir": "/d", "conda": "ml"}),
        ("--venv .venv", {"venv": ".venv"}),
        ("--python /usr/bin/python3", {"python": "/usr/bin/python3"}),
        ("--detach -- --mem=1 -x -- y", {"detach": True, "passthrough": ("--mem=1", "-x", "--", "y")}),
        ("-- --help", {"passthrough": ("--help",)}),
        ("-h", {"help": True}),
        ("--nonsense --help", {"help": True}),
    ],
)
def test_options_are_read(line, expected):
    of_spec = {f.name for f in dataclasses.fields(JobSpec)} & set(expected)
    spec = JobSpec(**{name: expected.pop(name) for name in of_spec})
    assert read(line) == CellArguments(spec, **expected)


def test_resource_options_become_resources():
    line = "--gpus a100:2 --cpus 4 --mem 4G --time 30m --nodes 2 --tasks 8 --tasks-per-node=4 --exclusive"
    assert read(line).spec.resources == Resources(*(2, 8, 4, 4, 4 * 2**30, 2, "a100"), time=1800, exclusive=True)
    assert read("--gpus-per-task h100").spec.resources == Resources(gpus_per_task=1, gpu_type="h100")


@pytest.mark.parametrize(
    ("line", "message", "hint"),
    [
        (
            "--partiton gpu",
            "'--partiton' is not an option of %%slurm.",
            "Did you mean --partition? Try %%slurm --help.",
        ),
        ("--part gpu", "'--part' is not", "--partition"),
        ("-partition=gpu", "'-partition' is not", "Did you mean --partition?"),
        ("-gpus 1", "'-gpus' is not", "Did you mean --gpus?"),
        ("-name x", "'-name' is not", "Did you mean --name?"),
        ("-N 2", "'-N' is not", "Did you mean --nodes?"),
        ("-t10", "'-t10' is not", "Did you mean --time?"),
        ("--ntasks 2", "'--ntasks' is not", "Did you mean --tasks?"),
        ("--job-name=x", "'--job-name' is not", "Did you mean --name?"),
        ("--xyzzy", "'--xyzzy' is not", "goes after a lone --. Try %%slurm --help."),
        ("gpu --time 3", "'gpu' is not an option of %%slurm", "Try %%slurm --help."),
        ("gpu --partiton gpu", "'--partiton' is not", "--partition"),
        ("--name a b", "'b' is not an option", "in quotes"),
        ("--name", "--name needs a value: --name TEXT.", "--name=-value"),
        ("--name --time 3", "--name needs a value", ""),
        ("--name=", "--name needs a value", ""),
        ("--env", "--env needs a value: --env K=V.", ""),
        ("-o", "--output needs a value", ""),
        ("--module -- x", "--module needs a value", ""),
        ("--detach=yes", "--detach takes no value.", ""),
        ("--env A", "--env 'A' is not K=V", "--env NAME=value"),
        ("--env 1A=2", "--env '1A=2'", ""),
        ("--env =2", "--env '=2'", ""),
        ("--env Ä=2", "--env 'Ä=2'", ""),
        ("-o a-b", "--output takes comma-separated Python names, and 'a-b' is not one.", "a,b"),
        ("-i a,,b", "and '' is not one", ""),
        ("-i class", "and 'class' is not one", ""),
        ("-o a -O", "-O says to bring back no names", "Keep one"),
        ("--conda a --venv b", "--conda and --venv each choose", "Keep one"),
        ("--cpus many", "'many'", ""),
        ("--cpus -5", "'-5'", ""),
        ("--mem 0", "'0'", "4G"),
        ("--time soon", "'soon'", "30m"),
        ("--gpus 2:a100", "'2:a100'", "Did you mean a100:2?"),
        ("--gpus 1 --gpus-per-task 1", "can't both", ""),
    ],
)
def test_mistakes_get_one_sentence_and_a_hint(line, message, hint):
    error = refusal(read, line)
    assert message in error.message
    assert hint in error.hint


@pytest.mark.parametrize("token", ["--name=a\0b", "--env=A=\0", "--module=\0", "\0"])
def test_nul_is_refused_everywhere(token):
    assert "NUL" in refusal(parse, [token], prog=PROG).message
    assert "NUL" in refusal(parse, ["--", token], prog=PROG).message


def test_identifiers_are_normalised_as_python_does():
    assert read("-o ﬁt").outputs == ("fit",)


@given(value=values)
def test_any_text_is_a_name_or_a_variable(value):
    spec = parse([f"--name={value}", f"--env=K={value}", f"--module={value}"], prog=PROG).spec
    assert (spec.name, spec.env, spec.modules) == (value, {"K": value}, (value,))


@pytest.mark.parametrize("value", ["x" * 100_000, "a\nb", "日本 🚀", "$(rm -rf /)", '"', "\ud800"])
def test_long_and_strange_values_arrive_unchanged(value):
    assert parse(["--name", value, "--env", f"K={value}"], prog=PROG).spec.env == {"K": value}
    assert parse(["--name", value], prog=PROG).spec.name == value


@given(tokens=st.lists(words | st.text(), max_size=6))
def test_parsing_returns_or_refuses_and_never_exits(tokens):
    try:
        assert isinstance(parse(tokens, prog=PROG), CellArguments)
    except OptionError as error:
        assert "\n" not in error.message


def test_every_option_has_a_field_a_flag_of_its_own_and_help():
    fields = {f.name for cls in (CellArguments, JobSpec, Resources) for f in dataclasses.fields(cls)}
    assert {o.dest for o in CELL_OPTIONS} <= fields
    assert len(FLAGS) == len(set(FLAGS))
    assert all(o.help and (o.kind == "flag") == (o.metavar is None) for o in CELL_OPTIONS)
    assert {o.dest for o in CELL_OPTIONS if o.resource} == {f.name for f in dataclasses.fields(Resources)} - {
        "gpu_type"
    }


@pytest.mark.parametrize("prog", ["%%slurm", "%%k8s", "%%hpc"])
def test_help_has_every_option_examples_and_fits_88_columns(prog):
    text = help_text(prog)
    lines = text.splitlines()
    assert max(map(len, lines)) <= 88
    assert all(line == line.rstrip() for line in lines)
    assert all(flag in text for flag in FLAGS)
    assert [line for line in lines if line.startswith(f"  {prog} ")] != []
    assert text.index("Examples") < text.index("--cpus")


def test_the_examples_in_help_are_valid():
    lines = [x.strip() for x in help_text(PROG).splitlines() if x.startswith(f"  {PROG}")]
    assert len(lines) >= 5
    for line in lines:
        example, _, why = line.partition("  ")
        assert read(example.removeprefix(PROG)) != CellArguments()
        assert why


def test_the_docs_table_has_one_row_per_option_and_escapes_pipes():
    rows = markdown_table().splitlines()
    assert len(rows) == len(CELL_OPTIONS) + 2
    assert all(row.replace("\\|", "").count("|") == 4 for row in rows)


@pytest.mark.parametrize(
    ("before", "fragment", "offered"),
    [
        ("--par", "--par", ["--partition"]),
        ("--gpus 1 --gpu", "--gpu", ["--gpus-per-task"]),
        ("--gpus=1 --gpu", "--gpu", ["--gpus-per-task"]),
        ("-p gpu --part", "--part", []),
        ("-pgpu --part", "--part", []),
        ("--env A=1 --en", "--en", ["--env"]),
        ("-o a --out", "--out", ["--output"]),
        ("--partition ", "", ["gpu", "gpu-big", "cpu"]),
        ("-p g", "g", ["gpu", "gpu-big"]),
        ("--partition=gpu-", "gpu-", ["gpu-big"]),
        ("--on k", "k", ["k8s"]),
        ("-i model,m", "m", ["mask"]),
        ("--input=model,", "", ["mask"]),
        ("--name ", "", []),
        ("--detach ", "", []),
        ("", "", []),
        ("gp", "gp", []),
        ("--name 'a --par", "--par", []),
        ("--detach # --par", "--par", []),
        ("-- --par", "--par", []),
        ("--name {x --par", "--par", []),
    ],
)
def test_completion_offers_what_can_stand_there(before, fragment, offered):
    assert completions(before, choices=CHOICES) == (fragment, offered)


def test_a_dash_offers_every_option_once_and_long_ones_first():
    fragment, offered = completions("-", choices=CHOICES)
    assert fragment == "-"
    assert sorted(offered) == sorted(FLAGS)
    assert offered.index("--partition") < offered.index("-p")


@given(before=st.text() | st.lists(words, max_size=5).map(" ".join))
def test_completion_never_fails_and_the_fragment_ends_the_line(before):
    fragment, offered = completions(before, choices=CHOICES)
    assert before.endswith(fragment)
    assert all(item.startswith(fragment) for item in offered)

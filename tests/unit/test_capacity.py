"""Who holds what of a cluster's nodes: from what Slurm printed, from Kubernetes' objects, and of very many nodes."""

from __future__ import annotations

import asyncio
import json
import re
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_hpc.backends.kubernetes.manifest import USER
from jupyter_hpc.backends.kubernetes.occupancy import capacity as of_kubernetes
from jupyter_hpc.backends.local import LocalBackend
from jupyter_hpc.backends.slurm.inventory import Node, parse_nodes
from jupyter_hpc.backends.slurm.occupancy import occupied, parse_jobs, parse_reasons, state_word
from jupyter_hpc.backends.slurm.standing import MOST_JOBS, priority_sentences, share_sentences
from jupyter_hpc.model.capacity import Amount, Capacity, NodeGroup, Queued, as_record, expanded, folded, grouped
from jupyter_hpc.model.exceptions import TargetError
from jupyter_hpc.server import target_list

RECORDED = Path(__file__).parent / "recorded" / "22.05-held"


def recorded(name: str) -> str:
    return (RECORDED / f"{name}.txt").read_text()


def nodes_for(user: str) -> dict[str, NodeGroup]:
    held, _ = parse_jobs(recorded("jobs"), user)
    nodes = parse_nodes(recorded("nodes")).values()
    return {node.names[0]: node for node in occupied(nodes, held, parse_reasons(recorded("reasons")), "debug")}


# -- Slurm, as it was recorded -------------------------------------------------------------------


def test_a_node_tells_free_mine_and_others() -> None:
    alice, bob = nodes_for("alice"), nodes_for("bob")
    assert alice["g1"].gpus == Amount(4, 1, 1)
    assert bob["g1"].gpus == Amount(4, 1, 2)
    assert alice["g2"].gpus == Amount(2, 1, 1)
    assert alice["c1"].cpus == Amount(8, 3, 2)
    assert bob["c1"].cpus == Amount(8, 3, 3)
    assert alice["c1"].memory == Amount(16000, 16000 - 2560, 1024)
    assert (alice["g1"].gpu_type, alice["c1"].gpu_type) == ("a100", "")


def test_the_default_partition_stands_first() -> None:
    assert nodes_for("alice")["g1"].partitions == ("debug", "gpu", "short")


def test_a_node_that_was_taken_away_has_nothing_free_and_says_why() -> None:
    found = nodes_for("alice")
    assert (found["c2"].state, found["c2"].native_state) == ("drained", "drained")
    assert found["c2"].reason == "disk full, see | ticket"
    assert (found["r1"].state, found["r1"].reason) == ("down", "no power")
    assert found["c2"].cpus == Amount(8, 0, 0)


def test_what_waits_is_counted_by_partition_and_each_task_of_an_array() -> None:
    _, queued = parse_jobs(recorded("jobs"), "alice")
    assert queued == [Queued("debug", 2, 2), Queued("gpu", 5, 2)]


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("idle", "up"),
        ("mixed-", "up"),
        ("allocated", "up"),
        ("drained", "drained"),
        ("draining", "drained"),
        ("maint", "drained"),
        ("reserved", "drained"),
        ("down", "down"),
        ("down*", "down"),
        ("idle*", "down"),
        ("idle~", "down"),
        ("powering_up", "down"),
        ("fail", "down"),
        ("unknown", "down"),
    ],
)
def test_sinfos_words_for_a_node(word: str, state: str) -> None:
    assert state_word(Node("n", (), 1, 1, state=word)) == state


def test_a_share_is_told_in_a_sentence() -> None:
    (sentence,) = share_sentences(recorded("shares"))
    assert re.fullmatch(
        r"Account physics: used \d\d % of what was used lately, its share is 33 %; "
        r"of that you used 100 %, yours is 100 %\. Fair-share factor 0\.33 of 1\.",
        sentence,
    )
    shares = "root||0.000000|1.000000|\n physics||0.25|0.004|\n  physics|alice|0.5|0.25|0.75\n"
    assert share_sentences(shares) == [
        "Account physics: used less than 1 % of what was used lately, its share is 25 %; "
        "of that you used 25 %, yours is 50 %. Fair-share factor 0.75 of 1."
    ]


def test_a_priority_names_what_it_is_made_of() -> None:
    found = priority_sentences(recorded("priorities"))
    assert [re.sub(r"(?<=job )\d+", "N", sentence) for sentence in found] == [
        "Priority of job N: 13510 = QOS 10000 + fair share 3333 + size 177.",  # told once, though for two partitions
        "Priority of job N: 13443 = QOS 10000 + fair share 3333 + size 110.",
    ]


def test_of_many_priorities_the_highest_are_told() -> None:
    text = "\n".join(f"{job}|{job}|{job}|0|0|0|0|0|0" for job in range(1, 21))
    found = priority_sentences(text)
    assert found[0] == "Priority of job 20: 20 = age 20."
    assert found[MOST_JOBS:] == ["15 more of your jobs wait with less."]


def test_a_site_without_accounting_has_nothing_to_say() -> None:
    assert share_sentences("") == []
    assert priority_sentences("You are not running a supported priority plugin\n") == []


@given(st.text(alphabet="ab|,=[]-0123456789\n RUNIGPED", max_size=200))
def test_odd_lines_are_passed_over(text: str) -> None:
    parse_jobs(text, "a")
    parse_reasons(text)
    share_sentences(text)
    priority_sentences(text)


def test_a_job_on_many_nodes_holds_its_part_of_each() -> None:
    line = "RUNNING|me|3|c[1-2],g1|cpu=6,mem=3G,node=3,billing=6,gres/gpu:a100=3|debug|N/A|N/A|"
    held, _ = parse_jobs(line, "me")
    assert sorted(held) == ["c1", "c2", "g1"]
    assert (held["c2"].cpus, held["c2"].memory, held["c2"].gpus) == (2, 1024, 1)


@pytest.mark.parametrize(
    ("asked", "gpus"),
    [("gres:gpu:a100:3|N/A", 3), ("gres/gpu:2|N/A", 2), ("N/A|gres:gpu:1", 1), ("N/A|N/A", 0)],
)
def test_gpus_that_a_site_does_not_track_are_told_by_what_was_asked(asked: str, gpus: int) -> None:
    held, _ = parse_jobs(f"RUNNING|me|1|g1|cpu=2,mem=2G,node=1,billing=2|debug|{asked}|", "me")
    assert held["g1"].gpus == gpus


# -- names ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("c1", ["c1"]),
        ("c[1-3]", ["c1", "c2", "c3"]),
        ("c[001-003,007],g1", ["c001", "c002", "c003", "c007", "g1"]),
        ("r[1-2]n[1-2]", ["r1n1", "r1n2", "r2n1", "r2n2"]),
        ("(null)", ["(null)"]),
        ("c[1-", ["c[1-"]),
        ("c[3-1]", ["c[3-1]"]),
        ("", []),
    ],
)
def test_names_are_unfolded(text: str, names: list[str]) -> None:
    assert expanded(text) == names


def test_names_without_end_are_not_unfolded() -> None:
    assert expanded("c[1-999999999]") == ["c[1-999999999]"]
    assert len(expanded("a[1-99999]b[1-99999]")) <= 100_000


@given(st.lists(st.from_regex(r"[a-z]{1,3}[0-9]{1,3}", fullmatch=True), unique=True, min_size=1))
def test_folded_names_unfold_to_the_same(names: list[str]) -> None:
    assert sorted(expanded(folded(names))) == sorted(names)


def test_folded_names_are_short() -> None:
    assert folded([f"c{n:04}" for n in range(1, 1001)]) == "c[0001-1000]"
    assert folded(["g1", "g3"]) == "g[1,3]"
    assert folded(["g1"]) == "g1"


# -- very many nodes -----------------------------------------------------------------------------


def many(count: int) -> list[NodeGroup]:
    def node(index: int) -> NodeGroup:
        if index % 5 == 0:
            gpus = Amount(8, index % 9, 0)
            return NodeGroup((f"g{index:04}",), ("gpu",), cpus=Amount(64, 64), gpus=gpus, gpu_type="a100")
        return NodeGroup((f"c{index:04}",), ("cpu",), cpus=Amount(128, index % 129, 0))

    return [node(index) for index in range(count)]


def test_a_few_nodes_are_told_one_by_one_gpus_first_in_the_order_of_their_numbers() -> None:
    nodes = [NodeGroup((name,), cpus=Amount(1)) for name in ("c10", "c2", "c1")]
    nodes.append(NodeGroup(("z1",), gpus=Amount(1)))
    assert [each.names for each in grouped(nodes)] == [("z1",), ("c1",), ("c2",), ("c10",)]


def test_thousands_of_nodes_are_told_together_and_nothing_is_lost() -> None:
    nodes = many(5000)
    began = time.process_time()
    found = grouped(nodes)
    answer = json.dumps(as_record(Capacity(found)))
    assert time.process_time() - began < 5  # of this process's own
    assert len(found) < 40
    assert len(answer) < 100_000
    assert sorted(name for each in found for name in each.names) == sorted(node.names[0] for node in nodes)
    assert sum(each.gpus.free or 0 for each in found) == sum(node.gpus.free or 0 for node in nodes)
    assert sum(each.cpus.total for each in found) == sum(node.cpus.total for node in nodes)


# -- Kubernetes, and this machine ----------------------------------------------------------------

KINDS = ("nvidia.com/gpu", "nvidia.com/gpu.product", {"NVIDIA-A100-SXM4-80GB": "a100"})


def node(name: str, gpus: str = "0", ready: str = "True", **spec: Any) -> dict[str, Any]:
    status = {
        "allocatable": {"cpu": "7910m", "memory": "16Gi", KINDS[0]: gpus},
        "conditions": [{"type": "Ready", "status": ready, "message": "Kubelet stopped posting node status."}],
    }
    labels = {KINDS[1]: "NVIDIA-A100-SXM4-80GB"} if gpus != "0" else {}
    return {"metadata": {"name": name, "labels": labels}, "spec": spec, "status": status}


def pod(where: str, user: str, gpus: str = "0") -> dict[str, Any]:
    resources = {"requests": {"cpu": "1500m", "memory": "1Gi"}, "limits": {KINDS[0]: gpus}}
    place = {"nodeName": where} if where else {}
    return {"metadata": {"labels": {USER: user}}, "spec": {**place, "containers": [{"resources": resources}, {}]}}


def test_a_kubernetes_node_tells_free_mine_and_others() -> None:
    pods = [pod("a", "me", "1"), pod("a", "you", "2"), pod("", "me"), pod("", "you")]
    found = of_kubernetes(
        [node("a", "4"), node("b", unschedulable=True), node("c", ready="Unknown")], pods, "me", *KINDS
    )
    a, b, c = found.nodes
    assert (a.gpus, a.gpu_type) == (Amount(4, 1, 1), "a100")
    assert a.cpus == Amount(7, 4, 2)
    assert a.memory == Amount(16384, 14336, 1024)
    assert (b.state, b.cpus.free) == ("drained", 0)
    assert (c.state, c.reason) == ("down", "Kubelet stopped posting node status.")
    assert found.queued == [Queued("", 2, 1)]
    assert found.note == ""


def test_what_may_not_be_seen_is_not_said_to_be_free() -> None:
    found = of_kubernetes([node("a", "4")], None, "me", *KINDS)
    assert found.nodes[0].gpus == Amount(4, None, None)
    assert "everybody's pods" in found.note
    assert of_kubernetes([], None, "me", *KINDS).note.startswith("The nodes may not be seen")


def test_this_machine_is_a_node() -> None:
    (here,) = asyncio.run(LocalBackend({}).capacity()).nodes
    assert here.cpus.total >= 1
    assert 0 <= (here.cpus.free or 0) <= here.cpus.total
    assert here.cpus.mine is None
    assert here.memory.total > (here.memory.free or 0) > 0


@pytest.mark.parametrize(
    ("script", "gpus"),
    [
        ("printf '0, 4\\n97, 20480\\n0, 900\\n[N/A], [N/A]\\n'", Amount(4, 1, None)),
        ("echo 'Failed to initialize NVML' >&2; exit 9", Amount()),
        ("echo 'No devices were found'; exit 6", Amount()),
    ],
    ids=["some", "no driver", "none"],
)
def test_gpus_of_this_machine_are_those_that_its_driver_tells_of(
    script: str, gpus: Amount, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tool = tmp_path / "nvidia-smi"
    tool.write_text(f"#!/bin/sh\n{script}\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    (here,) = asyncio.run(LocalBackend({}).capacity()).nodes
    assert here.gpus == gpus


# -- the route -----------------------------------------------------------------------------------


@pytest.mark.parametrize("answers", [True, False], ids=["answers", "fails"])
def test_twenty_clients_are_one_question(monkeypatch: pytest.MonkeyPatch, answers: bool) -> None:
    asked: list[str] = []

    async def look(name: str) -> Capacity:
        asked.append(name)
        if answers:
            return Capacity(note="seen")
        raise TargetError("Slurm's controller doesn't answer.")

    monkeypatch.setattr(target_list, "_look", look)
    monkeypatch.setattr(target_list, "_nodes", {})
    monkeypatch.setattr(target_list, "_looking", {})

    async def all_at_once() -> list[Any]:
        return await asyncio.gather(*(target_list.capacity("slurm") for _ in range(20)), return_exceptions=True)

    found = asyncio.run(all_at_once())
    assert asked == ["slurm"]
    if answers:
        assert [each["note"] for each in found] == ["seen"] * 20
    else:
        assert {str(each) for each in found} == {"Slurm's controller doesn't answer."}

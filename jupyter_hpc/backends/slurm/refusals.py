"""What sbatch says when it refuses a job, and what to type instead, with the names that are valid here."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from ...model.exceptions import SubmissionError
from ...model.resources import did_you_mean, slurm_time
from ...model.spec import JobSpec
from .inventory import Inventory
from .limits import candidates, usable_partitions
from .reasons import words_of

_SHOWN = 12  # names in a hint


def refused(words: str, spec: JobSpec, site: Inventory | None) -> SubmissionError:
    """Return the error for a job that sbatch refused.

    Parameters
    ----------
    words : str
        What sbatch said.
    site : Inventory or None
        What is known of the site.
    """
    lines = [
        re.sub(r"^(?:\S*/)?sbatch: (?:(?:error|fatal): )?", "", x).strip() for x in words.splitlines() if x.strip()
    ]
    sentence = " ".join(lines)[:800] or "sbatch gave no reason"
    reached = next((w for w in map(words_of, lines) if w), "")
    if reached:
        sentence = f"{sentence.rstrip('.')} ({reached})"
    return SubmissionError(f"Slurm refused the job: {sentence.rstrip('.')}.", hint=_hint(words, spec, site))


def _hint(words: str, spec: JobSpec, site: Inventory | None) -> str:
    for pattern, command, known in _TABLE:
        if re.search(pattern, words, re.IGNORECASE):
            found = known(spec, site) if site is not None else ""
            return found or command
    return ""


def _listed(option: str, given: str | None, names: Sequence[str], owner: str) -> str:
    """Return ``--partition can be debug or gpu here.``, and a guess at what was meant."""
    if not names:
        return ""
    shown = [f"{option} {name}" for name in names[:1]] + list(names[1:_SHOWN])
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    guess = did_you_mean(given, names) if given and given not in names else ""
    return " ".join(x for x in (f"{owner}: {', '.join(shown)}{more}.", guess) if x)


def _partitions(spec: JobSpec, site: Inventory) -> str:
    return _listed("--partition", spec.partition, usable_partitions(site, spec), "Partitions that you may use")


def _accounts(spec: JobSpec, site: Inventory) -> str:
    names = site.accounts()
    if spec.account in names:  # yours, but not here
        allowed = {a for p in candidates(site, spec) for a in (p.accounts or names)}
        denied = {a for p in candidates(site, spec) for a in p.denied_accounts}
        names = [n for n in names if n in allowed and n not in denied]
        where = f"Your accounts that {spec.partition or 'the default partition'} takes"
        return _listed("--account", spec.account, names, where) or (
            f"{spec.partition or 'The default partition'} takes none of your accounts: choose another --partition."
        )
    return _listed("--account", spec.account, names, "Your accounts")


def _qos(spec: JobSpec, site: Inventory) -> str:
    names = site.qos_names(spec.account if spec.account in site.accounts() else None)
    allowed = {q for p in candidates(site, spec) for q in (p.qos or names)} or set(names)
    return _listed("--qos", spec.qos, [n for n in names if n in allowed], "QOS that you may use")


def _features(spec: JobSpec, site: Inventory) -> str:
    partitions = candidates(site, spec)
    names = sorted({f for p in partitions for f in site.features(p.name)}) or site.features()
    if not names:
        return "No node here has features: leave --constraint out."
    return _listed("--constraint", spec.constraint, names, "Features that nodes here have")


def _nodes(spec: JobSpec, site: Inventory) -> str:
    """What the nodes have, largest first, for a request that none of them fits."""
    partitions = [p.name for p in candidates(site, spec)]
    shapes = [s for s in site.shapes if not partitions or set(partitions) & set(s.partitions)]
    rows = []
    for s in sorted(shapes, key=lambda s: (-sum(s.gpus.values()), -s.memory))[:4]:
        gpus = "".join(f", --gpus {k + ':' if k else ''}{n}" for k, n in s.gpus.items())
        features = f", {'&'.join(s.features)}" if s.features and spec.constraint else ""
        rows.append(f"{s.count} with --cpus {s.cpus}, --mem {s.memory}M{gpus}{features}")
    where = f" in {', '.join(partitions)}" if partitions else ""
    return f"No node{where} has all of that; at most: {'; '.join(rows)}." if rows else ""


def _gpu_types(spec: JobSpec, site: Inventory) -> str:
    types = site.gpu_types()
    return f"Gpus here: {', '.join(f'--gpus {t}:1' for t in types)}." if types else ""


def _times(spec: JobSpec, site: Inventory) -> str:
    rows = [
        f"--partition {n} takes up to --time {slurm_time(limit)}"
        for n in usable_partitions(site, spec)
        if (limit := site.partitions[n].max_time) is not None
    ]
    return f"{'; '.join(rows[:_SHOWN])}." if rows else ""


def _nothing(spec: JobSpec, site: Inventory) -> str:
    return ""


_ASSOCIATIONS = "`sacctmgr show assoc user=$USER format=account,qos` lists yours"
_Row = tuple[str, str, Callable[[JobSpec, Inventory], str]]
_TABLE: tuple[_Row, ...] = (  # what sbatch says, what to type where nothing is known, what we know
    (
        r"unable to contact|connection refused|socket timed out",
        "`scontrol ping` says whether the controller is up.",
        _nothing,
    ),
    (r"invalid account", f"{_ASSOCIATIONS}; give one with --account.", _accounts),
    (r"invalid qos", f"{_ASSOCIATIONS}; give one with --qos.", _qos),
    (
        r"invalid partition|group not permitted|partition .*not available|not in .*partition",
        "`sinfo -s` lists the partitions; give one with --partition.",
        _partitions,
    ),
    (
        r"invalid feature|constraint",
        "`sinfo -o '%N %f'` lists the features that --constraint may name.",
        _features,
    ),
    (
        r"invalid generic resource|\(gres\)",
        "`sinfo -o '%N %G'` shows what the nodes have; ask for it with --gpus TYPE:N.",
        _gpu_types,
    ),
    (
        r"node configuration is not available|memory specification|node count specification"
        r"|more processors requested|cpu count per node",
        "No node has that much: `sinfo -N -o '%N %c %m %G'` shows what they have. "
        "Ask for less with --cpus, --mem or --gpus.",
        _nodes,
    ),
    (
        r"submit ?jobs?|job violates|policy",
        f"A limit of your account or QOS stands against it: {_ASSOCIATIONS} (add maxsubmit, maxjobs, maxwall). "
        "Wait for jobs to end, ask for less, or choose another --account or --qos.",
        _nothing,
    ),
    (r"time limit", "`sinfo -o '%P %l'` shows the partitions' limits; ask for less with --time.", _times),
    (r"invalid node name", "`sinfo -N` lists the nodes.", _nothing),
    (r"reservation", "`scontrol show reservation` lists what is reserved, for whom and when.", _nothing),
    (r"invalid license", "`scontrol show licenses` lists the licences.", _nothing),
    (r"dependency", "`squeue --me` lists the jobs that --dependency may name.", _nothing),
    (
        r"unrecognized option|invalid option|invalid --|invalid .*specification",
        "The options after -- and in #SBATCH lines must be sbatch's own: `sbatch --help`.",
        _nothing,
    ),
)

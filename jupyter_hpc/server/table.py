"""The table of jobs: rows of the list with parameters, metrics and use of gpus, in the order of any column."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from ..lineage.ask import runs
from ..lineage.index.index import Index
from ..rundir.reader import PartsReader, RunReader, reader_of
from ..views.job_order import is_final
from ..views.job_row import MOST_METRICS, Row
from ..views.job_table import given, more, sorted_by
from .listing import MOST, Listing, Query

MOST_NAMES = 200  # of parameters, to choose columns from
_NOTHING: Row = {"parameters": {}, "numbers": {}, "gpu_use": []}


@dataclass(frozen=True)
class Asked:
    """Which jobs the table shows, and how.

    Attributes
    ----------
    where : str
        A condition as ``%hpc runs --where`` has it.
    column : str
        What they are sorted by; empty for the order of the list.
    """

    query: Query
    where: str = ""
    column: str = ""
    down: bool = False


class Table:
    """Rows with what is read of a run only when somebody sees it, or sorts by it. Any thread may ask.

    Parameters
    ----------
    listing : Listing
        What has the rows.
    """

    def __init__(self, listing: Listing) -> None:
        self.listing = listing
        self._ended: dict[str, Row] = {}  # what will not change
        self._readers: dict[str, RunReader | PartsReader] = {}  # of runs that go on
        self._given: dict[str, dict[str, str]] = {}  # parameters, of whatever was seen or sorted
        self._names: Counter[str] = Counter()  # of these

    def page(self, asked: Asked) -> dict[str, Any]:
        """Return one page.

        Raises
        ------
        OptionError
            If the condition can't be understood.
        """
        query = asked.query
        found = self.listing.found(query)
        if asked.where:
            meant = runs.ids(Index(self.listing.store), asked.where)
            found = [row for row in found if row["id"] in meant]
        if asked.column:
            found = sorted_by(found, asked.column, down=asked.down, of_run=self._value)
        page = [self._whole(row) for row in found[query.offset : query.offset + min(query.limit, MOST)]]
        seen = {row["id"] for row in page}
        self._readers = {run_id: reader for run_id, reader in list(self._readers.items()) if run_id in seen}
        return {
            "rows": page,
            "total": len(found),
            "parameters": [name for name, _ in self._names.most_common(MOST_NAMES)],
            "metrics": sorted(self.listing.metrics().union(*(row["numbers"] for row in page))),
        }

    def _whole(self, row: Row) -> Row:
        if row["foreign"]:
            return {**_NOTHING, **row}
        run_id = row["id"]
        if run_id not in self._ended:
            found = self._read(row)
            self._note(run_id, found["parameters"])
            if not is_final(row):
                return {**row, **found}
            self._ended[run_id] = found
        return {**row, **self._ended[run_id]}

    def _value(self, row: Row, kind: str, name: str) -> Any:
        """Return a parameter or a metric of a row, by as little as must be read."""
        if row["foreign"]:
            return None
        if kind == "parameters":
            return self._parameters(row["id"]).get(name)
        told = {metric["name"]: metric["last"] for metric in row["metrics"]}
        if name in told or len(told) < MOST_METRICS:
            return told.get(name)
        return self._whole(row)["numbers"].get(name)

    def _parameters(self, run_id: str) -> dict[str, str]:
        if run_id not in self._given:
            run = self.listing.store.run(run_id)
            record = run.in_brief()
            self._note(run_id, given(run, record) if record else {})
        return self._given[run_id]

    def _note(self, run_id: str, parameters: dict[str, str]) -> None:
        if run_id not in self._given:
            self._given[run_id] = parameters
            self._names.update(list(parameters))  # names are counted: of a mapping its values would be

    def _read(self, row: Row) -> Row:
        run = self.listing.store.run(row["id"])
        record = run.in_brief()
        if record is None:
            return dict(_NOTHING)
        if is_final(row):
            return more(run, record)
        reader = self._readers.setdefault(run.id, reader_of(run, record, outputs=False))
        reader.poll()
        return more(run, record, reader)

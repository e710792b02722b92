"""What ``make demo`` tells of SQL models: a warehouse is built over a bad day, which stops where it must.

The day is right by every count: as many orders as before, each with its number. Only who compares them with
the accounts sees it, and that is a check of the model that joins both.
"""

import time
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from itertools import groupby

from dataplat.demo.act import Act
from dataplat.demo.mishaps import repoint_rows
from dataplat.demo.story import DAYS, FIRST_DAY
from dataplat.demo.tally import DayTally, render_models
from dataplat.errors import DemoError
from dataplat.orchestration.launch import RunResult
from dataplat.plan.models.graph import ModelGraph
from dataplat.specs import Catalog, ModelSpec

BAD_TABLE, BAD_DAY, BAD_ROWS = "ods.ods_t_order", date(2026, 1, 13), 37
REJECTED, WAITING = "dw.dw_order_day", "ads.ads_sales_day"
BUILT_DAYS = tuple(f"{FIRST_DAY + timedelta(days=number)}" for number in range(DAYS - 7, DAYS))
BUILT_HOURS = tuple(f"{BUILT_DAYS[-1]}-{hour:02d}:00" for hour in range(24))
_LAST: Mapping[str, Sequence[str]] = {"day": BUILT_DAYS, "hour": BUILT_HOURS}
_LAYERS = ("dim", "dw", "ads")


class Warehouse(Act):
    """The act of the models."""

    def build(self) -> None:
        """Damage a day of orders, build every model, show where the damage stops, repair it.

        Raises:
            DemoError: The damage was published, something else was not, or the repair did not flow through.
        """
        self._heading("4. The warehouse", "nothing is built on what is not proven")
        with repoint_rows(self._database.connect, BAD_DAY, BAD_ROWS) as mishap:
            self._say(f"Meanwhile, at the source,\n{mishap.what}.")
            self._reload()
            self._say(f"No count can see it: {BAD_TABLE}[{BAD_DAY}] is published. Now the models,")
            self._say("the last seven days, or as many of them as have everything that they read,")
            self._say("and the last day hour by hour. A model of months waits for January to be over.")
            messages = self._build_models()
        for table in (REJECTED, WAITING):
            self._console.print()
            self._say_message(messages[table])
        self._say("\nThe other days are there. Now the accounts are put right at the source, and what")
        self._say(f"depends on them is loaded and made again, {BAD_DAY} only:")
        self._reload()
        models = [self._platform.catalog.models[table] for table in (REJECTED, WAITING)]
        repaired = [(spec, self._make_again(spec), 0) for spec in models]
        self._console.print()
        self._console.print(render_models("repaired", repaired))

    def _reload(self) -> None:
        _, results = self._load(self._platform.catalog.table(BAD_TABLE), f"{BAD_DAY}")
        if not results[0].succeeded:
            raise DemoError(BAD_TABLE, "the day was not published", facts=[("found", results[0].message)])

    def _build_models(self) -> dict[str, str]:
        """Build every model, print a table a layer, and return what each could not do, by name."""
        keys = partitions_to_build(self._platform.catalog, self._platform.graph)
        models = sorted((self._platform.catalog.models[name] for name in keys), key=_layer)
        messages: dict[str, str] = {}
        started, made = time.monotonic(), 0
        for layer, specs in groupby(models, key=lambda spec: spec.layer):
            rows = []
            for spec in specs:
                note = f"  ({len(messages) + 1} of {len(models)})"
                tally, results = self._load(spec, keys[spec.table], note=note)
                waiting = len(keys[spec.table]) - tally.total.partitions
                messages[spec.table] = _judged(spec, tally.total, waiting, results)
                rows.append((spec, tally.total, waiting))
                made += tally.total.partitions - tally.total.rejected
            self._console.print()
            self._console.print(render_models(layer, rows))
        seconds = time.monotonic() - started
        self._say(
            f"\n{made} partitions of {len(models)} models in {seconds:.0f} s. Two are not there, and say why:"
        )
        return messages

    def _make_again(self, spec: ModelSpec) -> DayTally:
        tally, results = self._load(spec, [f"{BAD_DAY}"])
        if not results[0].succeeded:
            raise DemoError(
                f"{spec.table}[{BAD_DAY}]",
                "the repair did not flow through",
                facts=[("found", results[0].message)],
            )
        return tally.total


def partitions_to_build(catalog: Catalog, graph: ModelGraph) -> dict[str, list[str]]:
    """Return the partitions of every model, among its last ones, that have all that they read.

    What they read is loaded, or is built too. Where a model reads seven days of a model, only one is left; no
    month is over yet, so no model of months is there.
    """
    found: dict[str, list[str]] = {}
    for name in graph.models:
        spec = catalog.models[name]
        wanted = _LAST.get(spec.grain, ())
        keys = [key for key in wanted if _has_all(graph, spec, key, found)]
        if keys:
            found[name] = keys
    return found


def _has_all(graph: ModelGraph, spec: ModelSpec, key: str, built: Mapping[str, Sequence[str]]) -> bool:
    read = graph.upstream_partitions(spec.table, spec.grain, key)
    return all(
        one in built.get(table, ()) if table in graph.models else one >= f"{FIRST_DAY}"
        for table, keys in read.items()
        for one in keys
    )


def _layer(spec: ModelSpec) -> int:
    return _LAYERS.index(spec.layer) if spec.layer in _LAYERS else len(_LAYERS)


def _judged(spec: ModelSpec, total: DayTally, waiting: int, results: Sequence[RunResult]) -> str:
    """Return what a model said, if it ended as the story wants it.

    Raises:
        DemoError: It did not.
    """
    message = "\n".join(result.message for result in results if not result.succeeded)
    wanted = {REJECTED: (1, 0), WAITING: (0, 1)}.get(spec.table, (0, 0))
    if (total.rejected, waiting) != wanted or bool(message) != any(wanted):
        raise DemoError(
            spec.table,
            "the model did not end as its upstreams want it",
            facts=[
                ("expected", f"{wanted[0]} rejected, {wanted[1]} waiting"),
                ("found", f"{total.rejected} rejected, {waiting} waiting"),
                ("message", message),
            ],
        )
    return message

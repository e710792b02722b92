"""What the ledger says about launching: whether a table is paused, and whether a partition's gate is open.

Sensors and schedules ask it in the moment in which they decide. It imports and opens the ledger when it is
first asked, so that loading definitions does neither, and keeps it open, because a sensor asks every minute.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from dataplat.plan.models.graph import ModelGraph
from dataplat.plan.needed import awaited_arrivals, closing_of, needed_partitions
from dataplat.specs import Catalog, ModelSpec, SecretResolver

if TYPE_CHECKING:
    from dataplat.ledger import Ledger
    from dataplat.orchestration.standings import Standings


class Gatekeeper:
    """Asks the ledger on behalf of automation. One object serves all sensors and schedules of a process."""

    def __init__(self, catalog: Catalog, graph: ModelGraph, environ: Mapping[str, str]) -> None:
        self._catalog = catalog
        self._graph = graph
        self._secrets = SecretResolver(environ)
        self._ledger: Ledger | None = None
        self._standings: Standings | None = None
        self._needed_by: dict[tuple[str, str], Mapping[str, Sequence[str]]] = {}
        self._closing_by: dict[str, Mapping[str, Sequence[str]]] = {}
        self._models = {spec.asset_path: spec for spec in catalog.models.values()}

    @property
    def ledger(self) -> "Ledger":
        """The ledger, opened on first use.

        Raises:
            LedgerError: It cannot be opened. The tick fails with it, and nothing is launched.
        """
        if self._ledger is None:
            from dataplat.ledger import Ledger

            self._ledger = Ledger.open(self._catalog.platform.ledger.reveal(self._secrets))
        return self._ledger

    def paused(self) -> frozenset[str]:
        """Return the tables that are paused now."""
        return frozenset(pause.table for pause in self.ledger.pauses())

    def may_launch(self, asset_path: Sequence[str], keys: Iterable[str], moment: object) -> set[str]:
        """Return the partitions of a model that may be launched: not paused, and the gate open.

        A waiver opens no gate here: it is for the one build that somebody asks for.
        """
        spec = self._model(asset_path)
        return set() if spec.table in self.paused() else self.open_partitions(asset_path, keys, moment)

    def open_partitions(self, asset_path: Sequence[str], keys: Iterable[str], moment: object) -> set[str]:
        """Return the partitions of a model whose gate is open, as its runs would find it.

        Args:
            asset_path: The model.
            keys: Its partitions.
            moment: What questions of one tick have in common: they see the ledger at one time.
        """
        from dataplat.lifecycle.gate import look_at_gate

        spec, found = self._model(asset_path), set()
        closing = self._closing(spec)
        standings = self._standings_at(moment)
        for key in keys:
            upstreams = self._needed(spec, key)
            awaited = awaited_arrivals(self._catalog, self._graph, spec, key)
            if look_at_gate(standings, upstreams, closing, spec.trigger, awaited).open:
                found.add(key)
        return found

    def _standings_at(self, moment: object) -> "Standings":
        from dataplat.orchestration.standings import Standings

        if self._standings is None:
            self._standings = Standings(self.ledger)
        return self._standings.at(moment)

    def _needed(self, spec: ModelSpec, key: str) -> Mapping[str, Sequence[str]]:
        asked = (spec.table, key)
        if asked not in self._needed_by:
            self._needed_by[asked] = needed_partitions(self._catalog, self._graph, spec, key)
        return self._needed_by[asked]

    def _closing(self, spec: ModelSpec) -> Mapping[str, Sequence[str]]:
        if spec.table not in self._closing_by:
            self._closing_by[spec.table] = closing_of(self._catalog, self._graph, spec)
        return self._closing_by[spec.table]

    def _model(self, asset_path: Sequence[str]) -> ModelSpec:
        layer, database, name = asset_path
        return self._models[layer, database, name]

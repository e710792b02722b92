"""Everything that is declared, once it is known to be right."""

import fnmatch
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from dataplat.errors import SelectionError
from dataplat.specs.audit import AuditSpec
from dataplat.specs.audited import AuditedTable, audited_tables
from dataplat.specs.model import ModelSpec
from dataplat.specs.model_test import ModelTestSpec
from dataplat.specs.platform import PlatformSpec
from dataplat.specs.problems import counted, did_you_mean
from dataplat.specs.readiness import ReadinessSpec
from dataplat.specs.secrets import Reference, SecretResolver
from dataplat.specs.source import SourceSpec
from dataplat.specs.table import TableSpec

AnyTable = TableSpec | ModelSpec


@dataclass(frozen=True, repr=False)
class Catalog:
    """The configuration: what ``load_catalog`` returns is complete and consistent."""

    config_dir: Path
    platform: PlatformSpec
    sources: Mapping[str, SourceSpec]
    tables: Mapping[str, TableSpec]
    models: Mapping[str, ModelSpec] = field(default_factory=dict)
    model_tests: Mapping[str, ModelTestSpec] = field(default_factory=dict)
    readiness: Mapping[str, ReadinessSpec] = field(default_factory=dict)
    audits: Mapping[str, AuditSpec] = field(default_factory=dict)

    def __repr__(self) -> str:
        sizes = f"{counted(len(self.sources), 'source')}, {counted(len(self.tables), 'table')}"
        sizes += f", {counted(len(self.models), 'model')}" if self.models else ""
        sizes += f", {counted(len(self.audits), 'audit')}" if self.audits else ""
        return f"Catalog({self.config_dir.name}: {sizes})"

    @property
    def all_tables(self) -> Mapping[str, AnyTable]:
        """Loaded tables and models, by name."""
        tables: dict[str, AnyTable] = {**self.tables, **self.models}
        return dict(sorted(tables.items()))

    def table(self, name: str) -> TableSpec:
        """Return one loaded table.

        Raises:
            SelectionError: If it is not declared, or is a model; names the nearest one that is.
        """
        found = self.any_table(name)
        if not isinstance(found, TableSpec):
            raise self._not(found, "a table that is loaded", "a model: SQL makes it")
        return found

    def model(self, name: str) -> ModelSpec:
        """Return one model.

        Raises:
            SelectionError: If it is not declared, or is a loaded table; names the nearest one that is.
        """
        found = self.any_table(name)
        if not isinstance(found, ModelSpec):
            raise self._not(found, "a model", f"a table that is loaded from {', '.join(found.all_sources)}")
        return found

    def any_table(self, name: str) -> AnyTable:
        """Return one table, loaded or made by SQL.

        Raises:
            SelectionError: If it is not declared; names the nearest one that is.
        """
        found = self.tables.get(name) or self.models.get(name)
        if found is None:
            raise self._unknown(name, self.all_tables)
        return found

    def readiness_of(self, table: str) -> ReadinessSpec | None:
        """Return how it is found out whether an external table is ready; none if nobody asks."""
        return self._readiness_by_table.get(table.lower())

    @cached_property
    def audited(self) -> Mapping[str, AuditedTable]:
        """External tables whose audits say when they may be read, by name in lower case."""
        return audited_tables(list(self.audits.values()))

    @cached_property
    def _readiness_by_table(self) -> Mapping[str, ReadinessSpec]:
        return {one.table.lower(): one for one in self.readiness.values()}

    def instances_of(self, table: TableSpec) -> Mapping[str, SourceSpec]:
        """Return the instances that a table is read from, by what its physical tables call theirs.

        The name is empty where there is only one.
        """
        names = table.all_sources
        return {name if len(names) > 1 else "": self.sources[name] for name in names}

    def sha(self, table: AnyTable, udfs: Iterable[str] = ()) -> str:
        """Return the table's ``sha`` with the time zones that decide its windows.

        Args:
            table: A loaded table or a model.
            udfs: For a model, what names the functions that its SQL may call, and their versions.
        """
        if isinstance(table, ModelSpec):
            return table.sha(timezone=self.platform.timezone, udfs=" ".join(sorted(udfs)))
        sources = self.instances_of(table).values()
        return table.sha(
            timezone=self.platform.timezone,
            source_timezone=" ".join(source.timezone or "" for source in sources),
            source_properties=" ".join(repr(sorted(source.properties.items())) for source in sources),
        )

    def select(self, expression: str) -> tuple[TableSpec, ...]:
        """Return the loaded tables that an expression names, by name, each once.

        ``ods.x`` is a table, ``ods.*`` a pattern, ``layer:ods`` and ``source:market`` are all tables of one;
        a comma joins several, ``*`` is everything.

        Raises:
            SelectionError: If any part of it names no table.
        """
        return tuple(self.tables[name] for name in self._select(expression, self.tables))

    def select_any(self, expression: str) -> tuple[AnyTable, ...]:
        """Return the tables that an expression names, models included; otherwise as ``select``."""
        tables = self.all_tables
        return tuple(tables[name] for name in self._select(expression, tables))

    def _select(self, expression: str, tables: Mapping[str, AnyTable]) -> list[str]:
        chosen: set[str] = set()
        for term in (part.strip() for part in expression.split(",")):
            names = _names(term, tables)
            if not names:
                raise self._unknown(term, tables)
            chosen.update(names)
        return sorted(chosen)

    def missing_secrets(self, environ: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
        """Return (reference, where it is declared) of each secret that ``environ`` does not lead to."""
        resolver = SecretResolver(environ)
        wanted: list[tuple[Reference, str]] = [
            (reference, self.platform.declared.at("ledger")) for reference in self.platform.ledger.references
        ]
        wanted += [
            (reference, one.declared.at("connect"))
            for one in self.readiness.values()
            for reference in (one.connect.references if one.connect else ())
        ]
        for audit in self.audits.values():
            wanted += audit.secrets()
        for source in self.sources.values():
            place = source.declared.at("password")
            wanted += [(reference, place) for reference in source.password.references]
        return tuple(
            (str(reference), place) for reference, place in wanted if resolver.find(reference) is None
        )

    def _unknown(self, term: str, tables: Mapping[str, AnyTable]) -> SelectionError:
        known = [*tables, *{f"layer:{table.layer}" for table in tables.values()}]
        known += [f"source:{name}" for name in self.sources]
        return SelectionError(
            term or "''",
            f"no such table{did_you_mean(term, known)}",
            facts=[("declared", f"{counted(len(tables), 'table')} in {self.config_dir.name}/")],
            effect="nothing was run",
            next_steps=["dataplat check"],
        )

    def _not(self, table: AnyTable, wanted: str, found: str) -> SelectionError:
        return SelectionError(
            table.table,
            f"this is not {wanted}",
            facts=[("found", found), ("declared", table.declared.at("table"))],
            effect="nothing was run",
        )


def _names(term: str, tables: Mapping[str, AnyTable]) -> list[str]:
    kind, colon, value = term.partition(":")
    if colon and kind == "layer":
        return [name for name, table in tables.items() if table.layer == value]
    if colon and kind == "source":
        return [
            name
            for name, table in tables.items()
            if isinstance(table, TableSpec) and value in table.all_sources
        ]
    return fnmatch.filter(tables, term)

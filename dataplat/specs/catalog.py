"""Everything that is declared, once it is known to be right."""

import fnmatch
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from dataplat.errors import SelectionError
from dataplat.specs.platform import PlatformSpec
from dataplat.specs.problems import counted, did_you_mean
from dataplat.specs.secrets import Reference, SecretResolver
from dataplat.specs.source import SourceSpec
from dataplat.specs.table import TableSpec


@dataclass(frozen=True, repr=False)
class Catalog:
    """The configuration: what ``load_catalog`` returns is complete and consistent."""

    config_dir: Path
    platform: PlatformSpec
    sources: Mapping[str, SourceSpec]
    tables: Mapping[str, TableSpec]

    def __repr__(self) -> str:
        sizes = f"{counted(len(self.sources), 'source')}, {counted(len(self.tables), 'table')}"
        return f"Catalog({self.config_dir.name}: {sizes})"

    def table(self, name: str) -> TableSpec:
        """Return one table.

        Raises:
            SelectionError: If it is not declared; names the nearest one that is.
        """
        try:
            return self.tables[name]
        except KeyError:
            raise self._unknown(name) from None

    def source_of(self, table: TableSpec) -> SourceSpec:
        return self.sources[table.source]

    def sha(self, table: TableSpec) -> str:
        """Return the table's ``sha`` with the time zones that decide its windows."""
        source = self.source_of(table)
        return table.sha(
            timezone=self.platform.timezone,
            source_timezone=source.timezone or "",
            source_properties=repr(sorted(source.properties.items())),
        )

    def select(self, expression: str) -> tuple[TableSpec, ...]:
        """Return the tables that an expression names, by name, each once.

        ``ods.x`` is a table, ``ods.*`` a pattern, ``layer:ods`` and ``source:market`` are all tables of one;
        a comma joins several, ``*`` is everything.

        Raises:
            SelectionError: If any part of it names no table.
        """
        chosen: set[str] = set()
        for term in (part.strip() for part in expression.split(",")):
            names = self._names(term)
            if not names:
                raise self._unknown(term)
            chosen.update(names)
        return tuple(self.tables[name] for name in sorted(chosen))

    def missing_secrets(self, environ: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
        """Return (reference, where it is declared) of each secret that ``environ`` does not lead to."""
        resolver = SecretResolver(environ)
        wanted: list[tuple[Reference, str]] = [
            (reference, self.platform.declared.at("ledger")) for reference in self.platform.ledger.references
        ]
        for source in self.sources.values():
            place = source.declared.at("password")
            wanted += [(reference, place) for reference in source.password.references]
        return tuple(
            (str(reference), place) for reference, place in wanted if resolver.find(reference) is None
        )

    def _names(self, term: str) -> list[str]:
        kind, colon, value = term.partition(":")
        if colon and kind == "layer":
            return [name for name, table in self.tables.items() if table.layer == value]
        if colon and kind == "source":
            return [name for name, table in self.tables.items() if table.source == value]
        return fnmatch.filter(self.tables, term)

    def _unknown(self, term: str) -> SelectionError:
        known = [*self.tables, *{f"layer:{table.layer}" for table in self.tables.values()}]
        known += [f"source:{name}" for name in self.sources]
        return SelectionError(
            term or "''",
            f"no such table{did_you_mean(term, known)}",
            facts=[("declared", f"{counted(len(self.tables), 'table')} in {self.config_dir.name}/")],
            effect="nothing was run",
            next_steps=["dataplat check"],
        )

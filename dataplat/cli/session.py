"""What a command works with: settings, configuration, ledger, platform; each read or opened when first asked.

The configuration is known without Spark and Dagster, and the ledger without either, so commands that only
look things up start fast.
"""

from collections.abc import Mapping
from contextlib import AbstractContextManager, ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from dataplat.cli.output import Output
from dataplat.settings import Settings, read_settings

if TYPE_CHECKING:
    from dagster import DagsterInstance

    from dataplat.ledger import Ledger
    from dataplat.lifecycle.platform import Platform
    from dataplat.lifecycle.stations import RunInfo
    from dataplat.plan.models.graph import ModelGraph
    from dataplat.specs import Catalog


class Session:
    """One command of one process.

    Attributes:
        environ: The environment, as read by ``main``.
        command: The command line, as others see it while this one holds a lock.
        output: Where to print.
        config: ``--config``, if it was given.
        under_way: What an interrupt would leave, in words; empty when nothing is.
    """

    def __init__(self, environ: Mapping[str, str], command: str = "") -> None:
        self.environ = environ
        self.command = command
        self.output = Output()
        self.config: Path | None = None
        self.under_way = ""
        self._catalog: Catalog | None = None
        self._platform: Platform | None = None
        self._ledger: Ledger | None = None
        self._graph: ModelGraph | None = None
        self._closing = ExitStack()

    @property
    def settings(self) -> Settings:
        """Where things are; the home as far as it is known without reading the configuration."""
        home = self._catalog.platform.home if self._catalog is not None else None
        return read_settings(self.environ, config=self.config, platform_home=home)

    @property
    def catalog(self) -> "Catalog":
        """The configuration.

        Raises:
            SpecError: With every problem of every file.
        """
        if self._catalog is None:
            from dataplat.specs import load_catalog

            self._catalog = load_catalog(self.settings.config_dir, self.environ)
        return self._catalog

    @property
    def graph(self) -> "ModelGraph":
        """What the models read, from their SQL.

        Raises:
            SpecError: With every problem of every model.
        """
        if self._graph is None:
            from dataplat.lifecycle.kept_graph import kept_graph

            self._graph = kept_graph(self.catalog, self.settings.home)
        return self._graph

    @property
    def ledger(self) -> "Ledger":
        """The ledger, without the rest of the platform."""
        if self._ledger is None:
            from dataplat.ledger import Ledger
            from dataplat.specs import SecretResolver

            url = self.catalog.platform.ledger.reveal(SecretResolver(self.environ))
            self._ledger = self._closing.enter_context(Ledger.open(url, clock=self.now))
        return self._ledger

    @property
    def platform(self) -> "Platform":
        """Everything: engines, ledger, sources. Importing it takes seconds; nothing is started by it."""
        if self._platform is None:
            catalog = self.catalog
            from dataplat.lifecycle.platform import Platform

            self._platform = self._closing.enter_context(Platform(self.settings, catalog, self.environ))
        return self._platform

    @property
    def instance(self) -> "DagsterInstance":
        """The Dagster instance of this home; what a command runs is recorded there."""
        catalog = self.catalog
        from dataplat.orchestration.instance import open_instance
        from dataplat.orchestration.launch import quiet_dagster

        quiet_dagster()
        return self._closing.enter_context(open_instance(self.settings.dagster_home, catalog))

    def guarded_sources(self) -> AbstractContextManager[None]:
        """Count what is opened at sources in the block, and say what is waited for."""
        from dataplat.lifecycle.protection import guarded_sources
        from dataplat.specs import SecretResolver

        return guarded_sources(
            lambda: self.ledger,
            SecretResolver(self.environ),
            purpose=self.command,
            say=lambda text: self.output.note(f"waiting {text}"),
        )

    def now(self) -> datetime:
        """The clock that decides which partitions have ended."""
        return datetime.now(UTC)

    def run_info(self, wait_seconds: float = 0) -> "RunInfo":
        """Return who works here, for the ledger and for whoever finds a partition locked."""
        from dataplat.lifecycle.stations import RunInfo

        return RunInfo("", self.settings.actor, self.command, wait_seconds)

    def close(self) -> None:
        """Close what was opened."""
        self._closing.close()

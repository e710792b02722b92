"""Everything a command or a run needs, opened when first used and closed together."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import cached_property
from types import TracebackType

from dataplat.engine.conf import EngineHome
from dataplat.engine.hive import HiveCatalog, PartitionStore
from dataplat.engine.partition_store import partition_store
from dataplat.engine.session import SparkEngine
from dataplat.errors import SelectionError
from dataplat.ledger import Ledger, LockOwner
from dataplat.lifecycle.kept_graph import kept_graph
from dataplat.lifecycle.protection import Protection
from dataplat.lifecycle.udfs import ModelUdfs
from dataplat.plan.models.graph import ModelGraph
from dataplat.settings import Settings
from dataplat.specs import AnyTable, Catalog, EngineSpec, ModelSpec, SecretResolver, SourceSpec, load_catalog


class Platform:
    """The configured platform of one home.

    Building one reads the configuration and nothing else; engines, ledger and sources are opened by the
    first call that needs them. One object serves all threads of a process.
    """

    def __init__(self, settings: Settings, catalog: Catalog, environ: Mapping[str, str]) -> None:
        self.settings = settings
        self.catalog = catalog
        self.secrets = SecretResolver(environ)
        self._engines: dict[str, SparkEngine] = {}
        self._test_engines: dict[str, SparkEngine] = {}
        self._ledger: Ledger | None = None
        self._graph: ModelGraph | None = None

    @classmethod
    def load(cls, settings: Settings, environ: Mapping[str, str]) -> "Platform":
        """Read the configuration.

        Raises:
            SpecError: With every problem of every file.
        """
        return cls(settings, load_catalog(settings.config_dir, environ), environ)

    @property
    def ledger(self) -> Ledger:
        """The ledger, migrated to this code's version on first use."""
        if self._ledger is None:
            self._ledger = Ledger.open(self._absolute(self.catalog.platform.ledger.reveal(self.secrets)))
        return self._ledger

    @property
    def graph(self) -> ModelGraph:
        """What the models read, from their SQL; read once.

        Raises:
            SpecError: With every problem of every model.
        """
        if self._graph is None:
            self._graph = kept_graph(self.catalog, self.settings.home)
        return self._graph

    @cached_property
    def udfs(self) -> ModelUdfs:
        """The UDFs of models; their modules are imported by the first that may need one."""
        return ModelUdfs(self.catalog)

    def test_engine(self, name: str = "default") -> SparkEngine:
        """Return the engine that runs the tests of models in place of a named one; nothing is started by it.

        The shared local server runs them itself. In place of a driver of its own, or of a server that
        somebody else runs, tests get a local server with the same SQL settings; it ends when this is closed.
        """
        spec = self._engine_spec(name)
        if spec.mode == "local":
            return self.engine(name)
        if name not in self._test_engines:
            home = self._engine_home(f"tests_of_{name}")
            alone = replace(
                home, catalog=home.directory / "metastore_db", warehouse=f"file://{home.directory}/warehouse"
            )
            conf = {key: value for key, value in spec.conf.items() if key.startswith("spark.sql.")}
            conf["spark.sql.catalogImplementation"] = "in-memory"
            self._test_engines[name] = SparkEngine(name, EngineSpec(conf=conf), alone)
        return self._test_engines[name]

    @property
    def warehouse(self) -> str:
        """URI of the warehouse; a relative local path counts from the folder above the configuration."""
        return self._absolute(self.catalog.platform.warehouse).rstrip("/")

    def now(self) -> datetime:
        """The one clock of the platform."""
        return datetime.now(UTC)

    def engine(self, name: str = "default") -> SparkEngine:
        """Return a named engine; nothing is started by it.

        Raises:
            SelectionError: No engine has that name.
        """
        if name not in self._engines:
            self._engines[name] = SparkEngine(name, self._engine_spec(name), self._engine_home(name))
        return self._engines[name]

    def sha(self, spec: AnyTable) -> str:
        """Return the content hash of a table, with the versions of the UDFs that it calls."""
        return self.udfs.sha(self.graph, spec) if isinstance(spec, ModelSpec) else self.catalog.sha(spec)

    def hive(self, engine: str = "default") -> HiveCatalog:
        """Return the Hive catalog as an engine sees it."""
        return HiveCatalog(self.engine(engine).session(), self.warehouse)

    def partitions(self, engine: str = "default") -> PartitionStore:
        """Return how partitions are published through an engine."""
        return partition_store(self.engine(engine))

    def protection(
        self,
        sources: Sequence[SourceSpec],
        *,
        purpose: str,
        owner: LockOwner,
        say: Callable[[str], None] = lambda _: None,
    ) -> Protection:
        """Return what protects some sources from a piece of work; it takes nothing by itself.

        Args:
            sources: Those that the work asks.
            purpose: What for, as a server's process list and whoever has to wait are told.
            owner: Who works.
            say: Hears what is waited for.
        """
        return Protection(sources, self.secrets, self.ledger, purpose=purpose, owner=owner, say=say)

    def table_location(self, table: str) -> str:
        """Return where a table lives: ``<warehouse>/<database>.db/<name>``."""
        database, name = table.split(".")
        return f"{self.warehouse}/{database}.db/{name}"

    def close(self) -> None:
        """Close what was opened. A shared engine keeps running: it is not ours alone."""
        for engine in self._engines.values():
            engine.release()
        self._engines.clear()
        for engine in self._test_engines.values():
            engine.stop()
        self._test_engines.clear()
        if self._ledger is not None:
            self._ledger.close()
            self._ledger = None

    def __enter__(self) -> "Platform":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _absolute(self, uri: str) -> str:
        for prefix in ("file://", "sqlite:///"):
            path = uri.removeprefix(prefix)
            if path != uri and not path.startswith("/"):
                return f"{prefix}{(self.settings.config_dir.parent / path).resolve()}"
        return uri

    def _engine_spec(self, name: str) -> EngineSpec:
        platform = self.catalog.platform
        if name == "default":
            return platform.engine
        if name not in platform.engines:
            raise SelectionError(
                f"engine {name}",
                "is not declared",
                facts=[("expected", ", ".join(["default", *platform.engines]))],
                effect="nothing was started",
            )
        return platform.engines[name]

    def _engine_home(self, name: str) -> EngineHome:
        home = self.settings.home
        return EngineHome(
            directory=home / "engine" / name,
            catalog=home / "metastore_db",
            warehouse=self.warehouse,
            jars=self.settings.jars_dir,
            zone=self.catalog.platform.timezone,
        )

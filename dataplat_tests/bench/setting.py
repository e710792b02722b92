"""A private MariaDB, an engine and a configuration for benchmarks, in a folder that is thrown away."""

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from dataplat.demo.mariadb import PrivateMariaDB
from dataplat.lifecycle.platform import Platform
from dataplat.settings import read_settings
from dataplat.specs import load_catalog

_PLATFORM = """timezone: Asia/Shanghai
warehouse: file://{home}/warehouse
ledger: sqlite:///{home}/ledger.db
start: 2026-01-01
engine: {{mode: local, driver_memory: {memory}{metastore}}}
"""
_SOURCE = """kind: mysql
host: 127.0.0.1
port: {port}
user: {user}
password: ${{BENCH_PASSWORD}}
budget: {{connections: 2}}
"""
_TABLE = """table: ods.{name}
source: bench
from: {{database: bench, table: {name}}}
load: incremental
window: {{column: update_time, grain: day}}
columns: "*"
key: [id]
"""


@dataclass(frozen=True)
class Setting:
    """Where everything is."""

    home: Path
    database: PrivateMariaDB
    platform: Platform
    environ: Mapping[str, str]

    def reload(self) -> None:
        """Read the configuration again: a bench has written more of it."""
        self.platform.catalog = load_catalog(self.home / "config", self.environ)


@contextmanager
def setting(
    tables: list[str], *, memory: str = "3g", buffer_pool: str = "3G", metastore: str = ""
) -> Iterator[Setting]:
    """Give a platform over empty servers with the named ``bench.*`` tables declared; stop all afterwards."""
    home = Path(tempfile.mkdtemp(prefix="dataplat-bench-"))
    database = PrivateMariaDB(home, buffer_pool=buffer_pool)
    instance = database.start()
    environ = {
        **os.environ,
        "BENCH_PASSWORD": instance.etl_password,
        "DATAPLAT_HOME": str(home),
        "DATAPLAT_JARS": os.environ.get("DATAPLAT_JARS", str(Path.cwd() / "jars" / "lib")),
    }
    try:
        uris = f', "hive.metastore.uris": "{metastore}"' if metastore else ""
        config = home / "config"
        (config / "sources").mkdir(parents=True)
        (config / "ods").mkdir()
        (config / "platform.yaml").write_text(_PLATFORM.format(home=home, memory=memory, metastore=uris))
        source = _SOURCE.format(port=instance.port, user=instance.etl_user)
        (config / "sources" / "bench.yaml").write_text(source)
        for name in tables:
            (config / "ods" / f"{name}.yaml").write_text(_TABLE.format(name=name))
        with Platform.load(read_settings(environ, config=config), environ) as platform:
            try:
                yield Setting(home, database, platform, environ)
            finally:
                platform.engine().stop()
    finally:
        database.stop()
        shutil.rmtree(home, ignore_errors=True)

"""A reader that trusts nothing of dataplat: the metastore says where a partition is, the files what it holds.

It shares no code with the writer (Spark), with the counter (footers through fsspec) or with the ledger:
the metastore is asked by Thrift or, where the catalog is embedded, by Spark SQL, files are found and
read by pyarrow, on HDFS through the NameNode's web address.
"""

import hashlib
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import unquote, urlsplit

import pyarrow as pa
import pyarrow.parquet as pq
from fsspec.implementations.webhdfs import WebHDFS
from pyarrow import orc
from pyspark.sql import SparkSession

Row = tuple[Any, ...]


@dataclass(frozen=True)
class Content:
    """What a reader gets of one partition: columns as the files name them, rows in order."""

    columns: tuple[str, ...]
    rows: tuple[Row, ...]

    @property
    def digest(self) -> str:
        return hashlib.sha256(repr(self.rows).encode()).hexdigest()[:12]

    def values(self, *names: str) -> list[Any]:
        """Return these columns of each row; one name gives bare values."""
        places = [self.columns.index(name) for name in names]
        return [row[places[0]] if len(places) == 1 else tuple(row[p] for p in places) for row in self.rows]


class Locations(Protocol):
    """Where a catalog says that partitions are, by ``ds=…[/hr=…]``."""

    def __call__(self, table: str) -> Mapping[str, str]: ...


@dataclass(frozen=True)
class ThriftLocations:
    """Asks a Hive metastore, with the names of the partition columns taken from its own table."""

    client: Callable[[], AbstractContextManager[Any]]

    def __call__(self, table: str) -> Mapping[str, str]:
        database, name = table.split(".")
        with self.client() as client:
            keys = [key.name for key in client.get_table(database, name).partitionKeys]
            partitions = client.get_partitions(database, name, -1)
        return {
            "/".join(f"{key}={value}" for key, value in zip(keys, partition.values, strict=True)): (
                partition.sd.location
            )
            for partition in partitions
        }


@dataclass(frozen=True)
class SqlLocations:
    """Asks the embedded catalog through the Spark that owns it."""

    session: Callable[[], SparkSession]

    def __call__(self, table: str) -> Mapping[str, str]:
        spark = self.session()
        found = {}
        for (text,) in spark.sql(f"SHOW PARTITIONS {table}").collect():
            spec = ", ".join("{}='{}'".format(*part.split("=")) for part in unquote(text).split("/"))
            rows = spark.sql(f"DESCRIBE FORMATTED {table} PARTITION ({spec})").collect()
            found[unquote(text)] = next(row[1] for row in rows if row[0] == "Location")
        return found


@dataclass(frozen=True)
class Files:
    """Reads whole folders of a file system; ``web_port`` is the NameNode's, for ``hdfs://``."""

    web_port: int | None = None

    def paths(self, uri: str) -> list[str]:
        """Return the data files in a folder. Raises FileNotFoundError when there is no such folder."""
        path = urlsplit(uri).path
        if self._is_hdfs(uri):
            names = list(self._web().ls(path, detail=False))
        else:
            names = [str(entry) for entry in Path(path).iterdir()]
        return sorted(name for name in names if Path(name).name[0] not in "._")

    def read(self, uri: str, path: str) -> pa.Table:
        raw = self._web().cat_file(path) if self._is_hdfs(uri) else Path(path).read_bytes()
        stream = BytesIO(raw)
        return orc.read_table(stream) if raw[:3] == b"ORC" else pq.ParquetFile(stream).read()

    def _is_hdfs(self, uri: str) -> bool:
        return urlsplit(uri).scheme == "hdfs"

    def _web(self) -> WebHDFS:
        assert self.web_port is not None, "this reader knows no HDFS"
        return WebHDFS(host="127.0.0.1", port=self.web_port, user="hdfs")


class Reader:
    """What somebody gets who reads a table now, by another path than the one that wrote it."""

    def __init__(self, locations: Locations, files: Files) -> None:
        self.locations = locations
        self.files = files

    def partitions(self, table: str) -> dict[str, Content]:
        """Read every partition that the catalog knows."""
        return {name: self.content(uri) for name, uri in sorted(self.locations(table).items())}

    def read(self, table: str, partition: str) -> Content:
        """Read one partition. Raises KeyError when the catalog does not know it."""
        return self.content(self.locations(table)[partition])

    def content(self, location: str) -> Content:
        """Read a folder. Raises FileNotFoundError when it is gone; that is a broken promise."""
        tables = [self.files.read(location, path) for path in self.files.paths(location)]
        if not tables:
            return Content((), ())
        columns = tuple(tables[0].column_names)
        rows = [tuple(row[name] for name in columns) for table in tables for row in table.to_pylist()]
        return Content(columns, tuple(sorted(rows, key=repr)))

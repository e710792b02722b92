"""Partitions through the Hive metastore's own Thrift API: many moved in one call.

Spark SQL moves one partition a statement (about 0.1 s each); ``alter_partitions`` moves a batch in one
transaction of the metastore. The wire format is Hive's, the client is generated (pymetastore). A
metastore behind Kerberos is reached through Spark SQL instead: see ``partition_store``.
"""

import copy
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Any
from urllib.parse import urlsplit

from pymetastore.hive_metastore import ThriftHiveMetastore, ttypes
from thrift.protocol import TBinaryProtocol
from thrift.Thrift import TException
from thrift.transport import TSocket, TTransport

from dataplat.engine.hive import Values
from dataplat.errors import EngineLostError
from dataplat.plan.partitions import hive_path

_BATCH = 500


class ThriftPartitionStore:
    """Partitions of a metastore reached by ``thrift://host:port[,…]``; the first that answers serves."""

    def __init__(self, uris: str, *, timeout_seconds: float = 60) -> None:
        self._uris = uris
        self._timeout_ms = int(timeout_seconds * 1000)

    def locations(self, table: str, partitions: Sequence[Values]) -> Mapping[Values, str]:
        """See :class:`dataplat.engine.hive.PartitionStore`."""
        with self._client(table) as client:
            found = self._fetch(client, table, partitions)
        return {values: partition.sd.location for values, partition in found.items()}

    def publish(self, table: str, targets: Mapping[Values, str]) -> None:
        """See :class:`dataplat.engine.hive.PartitionStore`. Each batch is one metastore transaction."""
        database, name = table.split(".")
        with self._client(table) as client:
            existing = self._fetch(client, table, list(targets))
            template = client.get_table(database, name)
            moved = []
            for values, partition in existing.items():
                # Columns too, not only the location: Hive reads a partition by its own columns, and the
                # table may have gained some since this partition was added.
                partition.sd = _descriptor(template, targets[values])
                moved.append(partition)
            for batch in _batched(moved):
                client.alter_partitions(database, name, batch)
            added = [
                _partition(template, values, location)
                for values, location in targets.items()
                if values not in existing
            ]
            for batch in _batched(added):
                client.add_partitions(batch)

    def drop(self, table: str, partitions: Sequence[Values]) -> None:
        """See :class:`dataplat.engine.hive.PartitionStore`."""
        database, name = table.split(".")
        with self._client(table) as client:
            for values in self._fetch(client, table, partitions):
                client.drop_partition_by_name(database, name, hive_path(values), False)

    def _fetch(
        self, client: ThriftHiveMetastore.Client, table: str, partitions: Sequence[Values]
    ) -> dict[Values, ttypes.Partition]:
        database, name = table.split(".")
        by_values = {tuple(value for _, value in values): values for values in partitions}
        found: dict[Values, ttypes.Partition] = {}
        for batch in _batched([hive_path(values) for values in partitions]):
            for partition in client.get_partitions_by_names(database, name, batch):
                found[by_values[tuple(partition.values)]] = partition
        return found

    @contextmanager
    def _client(self, table: str) -> Iterator[ThriftHiveMetastore.Client]:
        transport, client = self._connect(table)
        try:
            yield client
        except (TException, OSError) as error:
            raise EngineLostError(
                table,
                "the Hive metastore refused or went away",
                facts=[("found", getattr(error, "message", None) or str(error)), ("metastore", self._uris)],
                effect="what each partition shows is decided by the metastore: see 'dataplat versions'",
                next_steps=["dataplat check --connect", "load again: it repairs what was interrupted"],
            ) from error
        finally:
            transport.close()

    def _connect(self, table: str) -> tuple[TTransport.TTransportBase, ThriftHiveMetastore.Client]:
        problems = []
        for uri in self._uris.split(","):
            address = urlsplit(uri.strip())
            socket = TSocket.TSocket(address.hostname, address.port or 9083)
            socket.setTimeout(self._timeout_ms)
            transport = TTransport.TBufferedTransport(socket)
            try:
                transport.open()
            except (TException, OSError) as error:
                problems.append(f"{uri}: {error}")
                continue
            protocol = TBinaryProtocol.TBinaryProtocolAccelerated(transport)
            return transport, ThriftHiveMetastore.Client(protocol)
        raise EngineLostError(
            table,
            "the Hive metastore cannot be reached",
            facts=[("found", "\n".join(problems))],
            effect="nothing was published",
            next_steps=["dataplat check --connect"],
        )


def _descriptor(template: ttypes.Table, location: str) -> ttypes.StorageDescriptor:
    descriptor = copy.deepcopy(template.sd)
    descriptor.location = location
    return descriptor


def _partition(template: ttypes.Table, values: Values, location: str) -> ttypes.Partition:
    return ttypes.Partition(
        values=[value for _, value in values],
        dbName=template.dbName,
        tableName=template.tableName,
        sd=_descriptor(template, location),
        parameters={},
    )


def _batched(items: Sequence[Any]) -> Iterator[list[Any]]:
    iterator = iter(items)
    while batch := list(islice(iterator, _BATCH)):
        yield batch

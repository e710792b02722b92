"""Publishing: 1,000 partitions of one table, new ones and existing ones."""

from dataplat.plan.ddl import HiveColumn
from dataplat_tests.bench.measure import Side, compare
from dataplat_tests.bench.setting import Setting, setting
from dataplat_tests.services.metastore import HiveMetastore

_PARTITIONS = 1000


def thousand_partitions(rounds: int = 3) -> str:
    """Publishing 1,000 partitions that exist, through the metastore's API and through Spark SQL."""
    import tempfile
    from pathlib import Path

    with tempfile.TemporaryDirectory() as folder:
        metastore = HiveMetastore(Path(folder))
        metastore.start()
        try:
            with setting(["t"], metastore=metastore.uri) as place:
                return _measure(place, rounds)
        finally:
            metastore.stop()


def _measure(place: Setting, rounds: int) -> str:
    from dataplat.engine.hive import SqlPartitionStore

    engine = place.platform.engine()
    place.platform.hive().create("ods.t", [HiveColumn("id", "bigint")], ["ds"], "parquet", "")
    thrift, sql = place.platform.partitions(), SqlPartitionStore(engine.session())
    keys = [(("ds", f"p{number:04d}"),) for number in range(_PARTITIONS)]
    turn = iter(range(10_000))

    def publish(store: object, count: int) -> None:
        version = next(turn)
        targets = {
            key: f"{place.platform.table_location('ods.t')}/_versions/{version}/ds={key[0][1]}"
            for key in keys
        }
        store.publish("ods.t", dict(list(targets.items())[:count]))  # type: ignore[attr-defined]

    print("adding 1,000 new partitions first")
    publish(thrift, _PARTITIONS)
    sides = [
        Side("dataplat: 1,000 existing partitions, metastore API", lambda: publish(thrift, _PARTITIONS)),
        Side("Spark SQL SET LOCATION, 100 of them", lambda: publish(sql, 100)),
    ]
    goal = "at most 10 s for existing ones"
    result = compare("Publish 1,000 partitions of one table", goal, sides, rounds=rounds)
    result.notes.append("The Spark SQL side moves a tenth: multiply its seconds by ten to compare.")
    return result.render(sides[0].name)

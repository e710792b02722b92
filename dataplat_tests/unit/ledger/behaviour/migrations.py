"""What every backend promises about its tables: the migrations make what the code expects, both ways."""

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext

from dataplat.errors import LedgerError
from dataplat.ledger import Ledger
from dataplat.ledger.database import Database, parse_url
from dataplat.ledger.migrate import HEAD
from dataplat.ledger.tables import metadata
from dataplat_tests.unit.ledger.builders import ORDERS, load


def migrate_to(database: Database, direction: str, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", "dataplat.ledger:migrations")
    config.set_main_option("path_separator", "os")
    with database.engine.connect() as connection:
        config.attributes["connection"] = connection
        getattr(command, direction)(config, revision)


def tables(database: Database) -> set[str]:
    return set(database.read(lambda connection: sa.inspect(connection).get_table_names()))


class MigrationBehaviour:
    def test_the_migrations_make_exactly_the_tables_of_the_code(self, ledger: Ledger) -> None:
        with ledger._database.engine.connect() as connection:
            context = MigrationContext.configure(connection, opts={"compare_type": True})
            assert compare_metadata(context, metadata) == []

    def test_a_downgrade_leaves_nothing_and_an_open_makes_it_again(
        self, ledger: Ledger, ledger_url: str
    ) -> None:
        load(ledger, "v1")
        migrate_to(ledger._database, "downgrade", "base")
        assert tables(ledger._database) == {"alembic_version"}
        with Ledger.open(ledger_url) as again:
            assert again.history(ORDERS) == ()

    def test_opening_again_keeps_what_is_there(self, ledger: Ledger, ledger_url: str) -> None:
        load(ledger, "v1")
        with Ledger.open(ledger_url) as again:
            assert again.history(ORDERS) == ledger.history(ORDERS)

    def test_a_migration_that_was_killed_half_way_is_completed(self, ledger_url: str) -> None:
        with Ledger.open(ledger_url) as whole:
            expected = tables(whole._database)
            for statement in (
                "DROP TABLE partition_lock",
                "DROP TABLE waiver",
                "DROP INDEX ix_table_version_state" + ("" if "sqlite" in ledger_url else " ON table_version"),
                "DELETE FROM alembic_version",
            ):
                whole._database.write(lambda connection, sql=statement: connection.exec_driver_sql(sql))
        with Ledger.open(ledger_url) as again:
            assert tables(again._database) == expected
            with again._database.engine.connect() as connection:
                assert compare_metadata(MigrationContext.configure(connection), metadata) == []

    def test_a_ledger_of_a_newer_dataplat_is_refused(self, ledger: Ledger, ledger_url: str) -> None:
        newer = sa.text("UPDATE alembic_version SET version_num = '9999'")
        ledger._database.write(lambda connection: connection.execute(newer))
        with pytest.raises(LedgerError) as error:
            Ledger.open(ledger_url)
        assert str(error.value) == (
            f"ledger {Database(parse_url(ledger_url)).subject.removeprefix('ledger ')}: "
            "the ledger is newer than this dataplat\n"
            f"  expected   revision {HEAD} or older\n"
            "  found      revision 9999\n"
            "  effect     the ledger was not opened and not changed\n"
            "  next       install the dataplat that the others use"
        )

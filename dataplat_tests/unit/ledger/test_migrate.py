"""Opening: quick when there is nothing to do, and in step with the migrations."""

import subprocess
import sys
from pathlib import Path

from alembic.config import Config
from alembic.script import ScriptDirectory

from dataplat.ledger import Ledger
from dataplat.ledger.migrate import HEAD

OPEN = "import sys; from dataplat.ledger import Ledger; Ledger.open(sys.argv[1]); print(*sorted(sys.modules))"


def modules_after_opening(url: str) -> set[str]:
    command = [sys.executable, "-c", OPEN, url]
    return set(subprocess.run(command, check=True, capture_output=True, text=True).stdout.split())


def test_the_constant_is_the_newest_migration() -> None:
    config = Config()
    config.set_main_option("script_location", "dataplat.ledger:migrations")
    config.set_main_option("path_separator", "os")
    assert ScriptDirectory.from_config(config).get_heads() == [HEAD]


def test_alembic_is_imported_only_to_migrate(ledger_url: str) -> None:
    assert "alembic" in modules_after_opening(ledger_url)
    assert "alembic" not in modules_after_opening(ledger_url)


def test_opening_makes_the_folders_of_the_file(tmp_path: Path) -> None:
    with Ledger.open(f"sqlite:///{tmp_path}/a/b/ledger.db"):
        assert (tmp_path / "a" / "b" / "ledger.db").exists()


def test_an_empty_file_becomes_a_ledger(tmp_path: Path) -> None:
    (tmp_path / "ledger.db").touch()
    with Ledger.open(f"sqlite:///{tmp_path}/ledger.db") as ledger:
        assert ledger.history("ods.orders") == ()


def test_sqlite_lets_readers_and_a_writer_work_together(ledger: Ledger) -> None:
    def mode(connection: object) -> object:
        return connection.exec_driver_sql("PRAGMA journal_mode").scalar()  # type: ignore[attr-defined]

    assert ledger._database.read(mode) == "wal"

"""What the private MariaDB says and remembers, without starting one."""

import json
import stat
from pathlib import Path

import psutil
import pytest

from dataplat.demo import mariadb_install
from dataplat.demo.mariadb import PrivateMariaDB
from dataplat.demo.mariadb_instance import (
    Instance,
    choose_socket,
    forget_socket,
    read_instance,
    render_accounts,
    write_instance,
)
from dataplat.errors import DemoError


def instance(**changes: object) -> Instance:
    values = {"port": 3307, "socket": "/run/s.sock", "root_password": "r00t", "etl_password": "3tl"}
    return Instance(**{**values, **changes})  # type: ignore[arg-type]


def test_a_server_that_was_never_started_has_no_address(tmp_path: Path) -> None:
    server = PrivateMariaDB(tmp_path)
    assert not server.running()
    with pytest.raises(DemoError) as error:
        _ = server.instance
    assert str(error.value) == (f"{tmp_path}/mariadb: no MariaDB was ever started here\n  next   make demo")


def test_stopping_what_never_ran_does_nothing(tmp_path: Path) -> None:
    PrivateMariaDB(tmp_path).stop()
    assert list(tmp_path.iterdir()) == []


def test_the_record_survives_a_round_trip_and_only_its_owner_can_read_it(tmp_path: Path) -> None:
    record = tmp_path / "instance.json"
    write_instance(record, instance(pid=7))
    assert read_instance(record) == instance(pid=7)
    assert stat.S_IMODE(record.stat().st_mode) == 0o600


def test_a_record_of_something_else_is_refused(tmp_path: Path) -> None:
    record = tmp_path / "instance.json"
    record.write_text(json.dumps({"port": 1, "colour": "red"}))
    with pytest.raises(DemoError) as error:
        read_instance(record)
    assert str(error.value) == (
        f"{record}: this is no record of a private MariaDB\n"
        "  found    Instance.__init__() got an unexpected keyword argument 'colour'\n"
        "  effect   nothing was started or stopped\n"
        f"  next     rm -r {tmp_path}, which holds only this server's tables"
    )


def test_passwords_are_not_shown_by_accident() -> None:
    assert "r00t" not in repr(instance())
    assert "3tl" not in repr(instance())


def test_a_recycled_process_id_is_not_our_server() -> None:
    ourselves = psutil.Process()
    assert instance(pid=ourselves.pid, pid_started=ourselves.create_time()).process() == ourselves
    assert instance(pid=ourselves.pid, pid_started=ourselves.create_time() - 60).process() is None


def test_a_live_owner_of_the_folder_is_named_and_left_alone(tmp_path: Path) -> None:
    ourselves = psutil.Process()
    (tmp_path / "mariadb").mkdir()
    record = instance(pid=ourselves.pid, pid_started=ourselves.create_time())
    write_instance(tmp_path / "mariadb" / "instance.json", record)
    with pytest.raises(DemoError) as error:
        PrivateMariaDB(tmp_path).start()
    assert str(error.value) == (
        f"{tmp_path}/mariadb: a MariaDB server is already running here\n"
        f"  found    process {ourselves.pid}, port 3307\n"
        "  effect   it was left as it is\n"
        f"  next     kill {ourselves.pid}"
    )


def test_a_machine_without_mariadb_is_told_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mariadb_install.shutil, "which", lambda name, path=None: None)
    with pytest.raises(DemoError) as error:
        PrivateMariaDB(tmp_path).start()
    assert str(error.value) == (
        "MariaDB: the program mariadbd is not installed\n"
        "  expected   mariadbd on PATH or in /usr/sbin, /usr/local/sbin, /opt/homebrew/bin, /usr/local/bin\n"
        "  effect     nothing was started\n"
        "  next       make setup"
    )


def test_a_server_that_ends_at_once_shows_its_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "mariadbd"
    program.write_text("#!/bin/sh\necho 'InnoDB: no space left'\nexit 3\n")
    program.chmod(0o755)
    (tmp_path / "mariadb" / "data").mkdir(parents=True)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    server = PrivateMariaDB(tmp_path)
    with pytest.raises(DemoError) as error:
        server.start()
    assert str(error.value) == (
        "MariaDB: the private server did not start\n"
        "  found    mariadbd ended with code 3\n"
        "  log      InnoDB: no space left\n"
        "  effect   nothing is left running\n"
        f"  next     less {tmp_path}/mariadb/error.log"
    )
    assert not server.running()
    assert not (tmp_path / "mariadb" / "accounts.sql").exists()


def test_the_socket_moves_to_a_short_folder_when_the_home_is_deep(tmp_path: Path) -> None:
    assert choose_socket(Path("/srv/home")) == Path("/srv/home/s.sock")
    moved = choose_socket(tmp_path / ("deep" * 30))
    assert len(str(moved)) <= 100
    forget_socket(instance(socket=str(moved)), tmp_path)
    assert not moved.parent.exists()


def test_the_etl_account_gets_no_right_to_write() -> None:
    grants = [
        line for line in render_accounts(instance()).splitlines() if "GRANT" in line and "'etl'" in line
    ]
    assert grants == [
        "GRANT SELECT, SHOW VIEW, EXECUTE, PROCESS ON *.* TO 'etl'@'localhost';",
        "GRANT SELECT, SHOW VIEW, EXECUTE, PROCESS ON *.* TO 'etl'@'127.0.0.1';",
    ]

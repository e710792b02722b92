import os
import pwd
import socket
from pathlib import Path

import pytest

from dataplat.settings import Settings, read_settings

ROOT = Path("/srv/app")


def read(config: str | None = None, platform_home: str | None = None, **environ: str) -> Settings:
    return read_settings(
        {"DATAPLAT_ACTOR": "ann", **environ}, config=config, platform_home=platform_home, cwd=ROOT
    )


def test_without_any_word_everything_is_beside_the_configuration() -> None:
    assert read() == Settings(
        config_dir=ROOT / "config",
        home=ROOT / ".dataplat",
        actor="ann",
        hadoop_conf_dir=None,
        dagster_home=ROOT / ".dataplat/dagster",
        jars_dir=ROOT / "jars/lib",
    )


def test_the_command_line_wins_over_the_environment() -> None:
    assert read("a", DATAPLAT_CONFIG="b").config_dir == ROOT / "a"
    assert read(DATAPLAT_CONFIG="b").config_dir == ROOT / "b"


def test_the_environment_wins_over_the_configuration() -> None:
    assert read(platform_home="conf", DATAPLAT_HOME="env").home == ROOT / "env"
    assert read(platform_home="conf").home == ROOT / "conf"
    assert read(platform_home="/abs").dagster_home == Path("/abs/dagster")


def test_home_and_jars_count_from_the_folder_of_the_configuration_folder() -> None:
    settings = read("/etc/dp/config", DATAPLAT_HOME="home")

    assert (settings.home, settings.jars_dir) == (Path("/etc/dp/home"), Path("/etc/dp/jars/lib"))


def test_what_the_environment_names_is_taken() -> None:
    settings = read(DAGSTER_HOME="/d", DATAPLAT_JARS="/j", HADOOP_CONF_DIR="/h", HADOOP_HOME="/hh")

    assert (settings.dagster_home, settings.jars_dir) == (Path("/d"), Path("/j"))
    assert settings.hadoop_conf_dir == Path("/h")
    assert read(HADOOP_HOME="/hh").hadoop_conf_dir == Path("/hh/etc/hadoop")


def test_an_empty_variable_counts_as_unset() -> None:
    names = (
        "DATAPLAT_CONFIG",
        "DATAPLAT_HOME",
        "DAGSTER_HOME",
        "DATAPLAT_JARS",
        "HADOOP_CONF_DIR",
        "HADOOP_HOME",
    )

    assert read(**dict.fromkeys(names, "")) == read()


def test_paths_lose_their_detours() -> None:
    assert read("../x/./config").config_dir == Path("/srv/x/config")


def test_the_actor_is_the_login_at_this_host() -> None:
    name = pwd.getpwuid(os.getuid()).pw_name

    assert read_settings({}, cwd=ROOT).actor == f"{name}@{socket.gethostname()}"


def test_a_login_without_a_name_is_its_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getuid", lambda: 2**31 - 7)

    assert read_settings({}, cwd=ROOT).actor == f"uid{2**31 - 7}@{socket.gethostname()}"

"""What is sent before anything else, and how Spark's driver is told where and how to read."""

import pytest
from pydantic import ValidationError

from dataplat.sources.mysql_session import jdbc_properties, jdbc_url, session_statement
from dataplat_tests.unit.sources.builders import source

OLD_PROPERTIES = {"characterEncoding": "utf-8", "useSSL": "false", "tinyInt1isBit": "false"}


def test_a_session_has_the_zone_of_the_source_and_only_reads() -> None:
    assert session_statement(source()) == (
        "SET SESSION time_zone = '+08:00', net_write_timeout = 600, lock_wait_timeout = 60"
        " /*M!100101 , tx_read_only = 1 */"
        " /*!50720 , transaction_read_only = 1 */"
    )


def test_each_server_gets_the_time_limit_in_its_own_unit() -> None:
    limited = source(timezone="Europe/Berlin", budget={"max_execution_seconds": 90, "lock_wait_seconds": 5})
    assert session_statement(limited) == (
        "SET SESSION time_zone = 'Europe/Berlin', net_write_timeout = 600, lock_wait_timeout = 5"
        " /*M!100101 , tx_read_only = 1, max_statement_time = 90 */"
        " /*!50720 , transaction_read_only = 1, max_execution_time = 90000 */"
    )


def test_a_url_holds_the_properties_of_the_file_in_their_order() -> None:
    assert jdbc_url(source(port=3307, properties=OLD_PROPERTIES), "shop") == (
        "jdbc:mysql://db.example:3307/shop?characterEncoding=utf-8&useSSL=false&tinyInt1isBit=false"
    )


def test_a_url_without_properties_has_no_question_mark() -> None:
    assert jdbc_url(source(), "shop") == "jdbc:mysql://db.example:3306/shop"
    assert jdbc_url(source(properties={"user": "root"}), "shop") == "jdbc:mysql://db.example:3306/shop"


def test_an_address_of_version_6_stands_in_brackets() -> None:
    assert jdbc_url(source(host="::1"), "shop") == "jdbc:mysql://[::1]:3306/shop"


def test_a_url_never_holds_an_account() -> None:
    named = source(properties={"user": "root", "useSSL": "true"})
    assert jdbc_url(named, "shop") == "jdbc:mysql://db.example:3306/shop?useSSL=true"
    with pytest.raises(ValidationError, match="'password' is a secret"):
        source(properties={"password": "canary"})


def test_no_property_of_a_file_can_change_the_values_that_are_read() -> None:
    harmful = {
        "tinyInt1isBit": "true",
        "yearIsDateType": "true",
        "preserveInstants": "true",
        "forceConnectionTimeZoneToSession": "true",
        "serverTimezone": "UTC",
        "connectionTimeZone": "UTC",
        "timezone": "UTC",
    }
    assert jdbc_url(source(properties=harmful), "shop") == "jdbc:mysql://db.example:3306/shop"
    assert jdbc_properties(source(properties=harmful)) == jdbc_properties(source())


def test_the_reader_gets_what_dataplat_needs_and_the_file_wins_elsewhere() -> None:
    assert jdbc_properties(source()) == {
        "driver": "org.mariadb.jdbc.Driver",
        "sessionInitStatement": session_statement(source()),
        "connectTimeout": "20000",
        "useServerPrepStmts": "true",
        "tinyInt1isBit": "false",
        "yearIsDateType": "false",
        "preserveInstants": "false",
        "forceConnectionTimeZoneToSession": "false",
    }
    chosen = source(properties={"useServerPrepStmts": "false", "connectTimeout": "5"})
    assert {"useServerPrepStmts", "connectTimeout"} & set(jdbc_properties(chosen)) == set()
    assert jdbc_url(chosen, "shop").endswith("?useServerPrepStmts=false&connectTimeout=5")


def test_a_consistent_snapshot_begins_with_a_transaction_after_the_session_is_set_up() -> None:
    usual, consistent = jdbc_properties(source()), jdbc_properties(source(), snapshot=True)

    assert consistent["sessionInitStatement"] == (
        f"/*client prepare*/{session_statement(source())};"
        " SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ;"
        " START TRANSACTION WITH CONSISTENT SNAPSHOT"
    )
    changed = {key for key in consistent if consistent[key] != usual.get(key)}
    assert changed == {"sessionInitStatement", "allowMultiQueries"}

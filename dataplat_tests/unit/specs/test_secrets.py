from pathlib import Path

import pytest

from dataplat.errors import MissingSecretError
from dataplat.specs import Secret, SecretResolver, SecretText
from dataplat_tests.unit.specs.folder import MARKET, PLATFORM, Config

VALUE = "s3cr3t-@/value"
URL = "mysql+pymysql://etl:${LEDGER_PASSWORD}@db/${LEDGER_NAME:-dp}"


def test_nothing_that_can_be_printed_of_a_catalog_holds_a_secret(config: Config) -> None:
    config.replace(PLATFORM, "sqlite:///${DATAPLAT_HOME:-.dataplat}/ledger.db", URL)
    config.replace(MARKET, "${MARKET_PASSWORD}", "{secret: market/password}")
    environ = {
        "LEDGER_PASSWORD": VALUE,
        "LOGISTICS_PASSWORD": VALUE,
        "DATAPLAT_SECRET_MARKET_PASSWORD": VALUE,
    }
    catalog = config.load(environ)

    specs = [catalog.platform, *catalog.sources.values(), *catalog.tables.values()]
    printed = [repr(catalog), str(catalog), repr(vars(catalog))]
    printed += [text for spec in specs for text in (repr(spec), str(spec), str(spec.model_dump()))]
    printed += [text for spec in specs for text in (spec.model_dump_json(), repr(spec.__getstate__()))]
    assert VALUE not in "".join(printed)
    assert repr(catalog) == "Catalog(config: 2 sources, 2 tables)"
    assert "password=Secret({secret: market/password})" in repr(catalog.sources["market"])
    assert f"SecretText({URL})" in repr(catalog.platform)


def test_a_secret_is_revealed_from_the_environment_of_the_moment() -> None:
    assert Secret.parse("${DB}").reveal(SecretResolver({"DB": VALUE})) == VALUE


def test_a_store_secret_is_a_variable_or_a_mounted_file(tmp_path: Path) -> None:
    secret = Secret.parse({"secret": "market/password"})
    (tmp_path / "market").mkdir()
    (tmp_path / "market/password").write_text("from file\n")
    folder = {"DATAPLAT_SECRETS": str(tmp_path)}

    assert secret.reveal(SecretResolver(folder)) == "from file"
    assert secret.reveal(SecretResolver({**folder, "DATAPLAT_SECRET_MARKET_PASSWORD": "set"})) == "set"


def test_a_variable_may_name_a_file_instead(tmp_path: Path) -> None:
    (tmp_path / "db").write_text("from file\n")

    assert Secret.parse("${DB}").reveal(SecretResolver({"DB_FILE": str(tmp_path / "db")})) == "from file"


def test_a_missing_variable_is_told_with_every_place_searched() -> None:
    with pytest.raises(MissingSecretError) as caught:
        Secret.parse("${DB}").reveal(SecretResolver({}))

    assert str(caught.value) == (
        "${DB}: the secret was not found\n"
        "  searched   environment variable DB\n"
        "             file named by DB_FILE (not set)\n"
        "  effect     nothing was connected to\n"
        "  next       export DB=…"
    )


def test_a_missing_store_secret_is_told_with_every_place_searched() -> None:
    with pytest.raises(MissingSecretError) as caught:
        Secret.parse({"secret": "a/b"}).reveal(SecretResolver({"DATAPLAT_SECRETS": "/run/none"}))

    assert str(caught.value) == (
        "{secret: a/b}: the secret was not found\n"
        "  searched   environment variable DATAPLAT_SECRET_A_B\n"
        "             file a/b in DATAPLAT_SECRETS (/run/none)\n"
        "  effect     nothing was connected to\n"
        "  next       export DATAPLAT_SECRET_A_B=…"
    )


@pytest.mark.parametrize(
    ("text", "revealed"),
    [
        (URL, "mysql+pymysql://etl:s3cr3t-%40%2Fvalue@db/dp"),
        (
            "mysql://${USER:-root}:${LEDGER_PASSWORD}@${HOST:-h}:3306/db",
            "mysql://root:s3cr3t-%40%2Fvalue@h:3306/db",
        ),
        ("${LEDGER_PASSWORD}", VALUE),
        ("mysql://${USER:-root}@h/db", "mysql://root@h/db"),
        ("sqlite:///srv/a:b@c/ledger.db", "sqlite:///srv/a:b@c/ledger.db"),
    ],
)
def test_a_url_gets_its_secrets_with_their_special_characters_escaped(text: str, revealed: str) -> None:
    assert SecretText.parse(text).reveal(SecretResolver({"LEDGER_PASSWORD": VALUE})) == revealed


@pytest.mark.parametrize(
    "url",
    [
        "mysql://etl:hunter2@db/x",
        "mysql://etl:a@hunter2@db/x",
        "mysql://etl:${X:-hunter2}@db/x",
        "mysql://etl:x${X}@db/hunter2",
        "mysql://${U:-root}:hunter2@db/x",
        "mysql://etl@db/x?charset=utf8&password=hunter2",
    ],
)
def test_a_password_in_a_url_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(ValueError, match="a password is not written into a file") as caught:
        SecretText.parse(url)

    assert "hunter2" not in str(caught.value)


def test_a_password_in_a_file_is_in_no_part_of_the_error(config: Config) -> None:
    config.replace(MARKET, "password: ${MARKET_PASSWORD}", "password: hunter2\npasword: hunter2")
    config.replace(PLATFORM, "sqlite:///${DATAPLAT_HOME:-.dataplat}/ledger.db", "hunter2")
    error = config.error()

    assert len(error.facts) == 3
    assert "hunter2" not in repr(vars(error)) + str(error)
    assert error.__context__ is None or "hunter2" not in repr(error.__context__)


def test_secrets_that_the_environment_lacks_are_listed_with_their_place(config: Config) -> None:
    config.replace(PLATFORM, "sqlite:///${DATAPLAT_HOME:-.dataplat}/ledger.db", URL)
    environ = {"MARKET_PASSWORD": VALUE}

    assert config.load(environ).missing_secrets(environ) == (
        ("${LEDGER_PASSWORD}", "config/platform.yaml:5 ledger"),
        ("${LOGISTICS_PASSWORD}", "config/sources/logistics.yaml:6 password"),
    )


def test_a_resolver_does_not_print_its_environment() -> None:
    assert repr(SecretResolver({"DB": VALUE})) == "SecretResolver(…)"

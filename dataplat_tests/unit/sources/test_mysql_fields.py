"""Field packets of results become types that the type map knows."""

from dataclasses import dataclass

import pytest
from pymysql.constants import FIELD_TYPE, FLAG

from dataplat.plan.types import map_type
from dataplat.sources.mysql_fields import column_type


@dataclass
class Packet:
    type_code: int
    length: int = 11
    scale: int = 0
    flags: int = 0
    charsetnr: int = 45


@pytest.mark.parametrize(
    ("packet", "declared"),
    [
        (Packet(FIELD_TYPE.LONG), "int"),
        (Packet(FIELD_TYPE.LONGLONG, flags=FLAG.UNSIGNED), "bigint unsigned"),
        (Packet(FIELD_TYPE.NEWDECIMAL, length=12, scale=2), "decimal(10,2)"),
        (Packet(FIELD_TYPE.NEWDECIMAL, length=11, scale=2, flags=FLAG.UNSIGNED), "decimal(10,2)"),
        (Packet(FIELD_TYPE.NEWDECIMAL, length=11), "decimal(10,0)"),
        (Packet(FIELD_TYPE.BIT, length=8), "bit(8)"),
        (Packet(FIELD_TYPE.VAR_STRING), "varchar"),
        (Packet(FIELD_TYPE.VAR_STRING, charsetnr=63), "varbinary"),
        (Packet(FIELD_TYPE.BLOB), "longtext"),
        (Packet(FIELD_TYPE.BLOB, charsetnr=63), "longblob"),
        (Packet(FIELD_TYPE.NULL), "varchar"),
        (Packet(FIELD_TYPE.DATETIME, charsetnr=63), "datetime"),
        (Packet(FIELD_TYPE.GEOMETRY, charsetnr=63), "geometry"),
    ],
)
def test_a_result_column_has_the_type_a_table_would_declare(packet: Packet, declared: str) -> None:
    assert column_type(packet) == declared
    assert map_type(declared) is not None


def test_a_type_the_protocol_did_not_have_is_not_guessed() -> None:
    assert column_type(Packet(242)) == "unknown(242)"
    assert map_type("unknown(242)") is None

"""``parse_ip`` answers as ``ipaddress`` and a look at every range of the table would, one by one."""

import csv
import ipaddress
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataplat.udfs import Udf, udf
from dataplat.udfs.ip_table import read_ip_table
from dataplat.udfs.parse_ip import TABLE, parse_ip
from dataplat.udfs.places import normalise_place
from dataplat_tests.services.effort import repetitions

HEAD = "first,last,country,province,city\n"
RANGES = [
    (ipaddress.ip_address(row["first"]), ipaddress.ip_address(row["last"]), row)
    for row in csv.DictReader(TABLE.read_text(encoding="utf-8").splitlines())
]


def one_by_one(text: str) -> str | None:
    """The place of one address, found in the plainest way."""
    text = text.strip()
    if text.isascii() and text.isdigit() and len(text) <= 10 and int(text) < 1 << 32:
        text = str(ipaddress.IPv4Address(int(text)))
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    for first, last, row in RANGES:
        if first.version == address.version and int(first) <= int(address) <= int(last):
            return normalise_place(row["country"], row["province"])
    return None


def places(*ips: object) -> list[str | None]:
    return list(parse_ip(pa.array(ips)).to_pylist())


INSIDE = st.sampled_from(RANGES).flatmap(
    lambda one: st.integers(int(one[0]) - 1, int(one[1]) + 1).map(
        lambda number: str(type(one[0])(max(number, 0)))
    )
)
SHAPED = st.from_regex(r"\A ?[0-9]{1,3}(\.[0-9]{1,3}){2,4} ?\Z")
ADDRESSES = st.one_of(
    INSIDE,
    st.ip_addresses().map(str),
    st.ip_addresses(v=6).map(lambda address: address.exploded.upper()),
    st.ip_addresses(v=4).map(lambda address: f"::ffff:{address}"),
    st.integers(0, 1 << 33).map(str),
    SHAPED,
    st.text(alphabet="0123456789abcdef:./% ", max_size=20),
    st.text(max_size=12),
)


@given(st.lists(st.none() | ADDRESSES, max_size=40))
@settings(max_examples=repetitions(100), deadline=None)
def test_a_batch_is_answered_as_each_of_its_addresses_alone(ips: list[str | None]) -> None:
    expected = [None if ip is None else one_by_one(ip) for ip in ips]
    assert parse_ip(pa.array(ips, pa.string())).to_pylist() == expected


@given(st.lists(st.none() | st.integers(-(1 << 40), 1 << 40), max_size=20))
@settings(max_examples=repetitions(50), deadline=None)
def test_whole_numbers_are_ipv4_addresses(numbers: list[int | None]) -> None:
    expected = [None if number is None else one_by_one(str(number)) for number in numbers]
    assert parse_ip(pa.array(numbers, pa.int64())).to_pylist() == expected


def test_every_kind_of_address_is_placed() -> None:
    assert places("192.0.2.1", " 192.0.2.17 ", "2001:DB8::1", "::ffff:192.0.2.1", "3221225985") == [
        "北京", "天津", "北京", "北京", "北京",
    ]  # fmt: skip


def test_what_is_no_address_has_no_place() -> None:
    assert (
        places(None, "", "x", "01.2.3.4", "192.0.2", "192.0.2.256", "99999999999", "::g", "1.2.3.4/8")
        == [None] * 9
    )


@pytest.mark.parametrize("kind", [pa.null(), pa.string(), pa.int32(), pa.decimal128(20, 0), pa.float64()])
def test_a_column_without_values_has_no_places(kind: pa.DataType) -> None:
    assert parse_ip(pa.array([], kind)).to_pylist() == []
    assert parse_ip(pa.array([None, None], kind)).to_pylist() == [None, None]


@pytest.mark.parametrize(
    ("country", "province", "place"),
    [
        ("中国", "内蒙古自治区", "内蒙古"), ("中国", "广西壮族自治区", "广西"),
        ("中国", "香港特别行政区", "香港"), ("中国", "澳门特别行政区", "澳门"),
        ("中国", "西藏自治区", "西藏"),
        ("中国", "宁夏回族自治区", "宁夏"), ("中国", "新疆维吾尔自治区", "新疆"),
        ("中国", "北京市", "北京"), ("中国", "黑龙江省", "黑龙江"),
        ("中国", "台湾省", "台湾"), ("中国", "陕西", "陕西"), ("中国", "", "中国"), ("中国香港", "", "香港"),
        ("", "重庆市", "重庆"), ("美国", "纽约市", "美国"), (" 中国 ", " 上海市 ", "上海"),
    ],
)  # fmt: skip
def test_a_province_is_called_by_its_short_name(country: str, province: str, place: str) -> None:
    assert normalise_place(country, province) == place


def test_the_shipped_table_has_every_province_and_only_reserved_addresses() -> None:
    found = {normalise_place(row["country"], row["province"]) for _, _, row in RANGES if row["province"]}
    assert len(found) == 34
    benchmark = ipaddress.ip_network("198.18.0.0/15")  # RFC 2544; `is_private` knows it since Python 3.11
    reserved = [ipaddress.ip_network(net) for net in ("100.64.0.0/10", "2001:db8::/32")]
    for first, last, _ in RANGES:
        for address in (first, last):
            inside = any(address in net for net in [benchmark, *reserved] if net.version == address.version)
            assert address.is_private or inside


def table(tmp_path: Path, text: str) -> Udf:
    path = tmp_path / "ips.csv"
    path.write_text(text, encoding="utf-8")
    return udf(returns="string", name="parse_ip", file=path, read=read_ip_table)(parse_ip.function)


def test_a_table_in_any_order_with_a_byte_order_mark_replaces_ours(tmp_path: Path) -> None:
    own = table(
        tmp_path,
        f"\ufeff{HEAD}8.0.0.0,8.255.255.255,美国,,\n1.0.0.0, 1.0.0.255 ,中国,福建省,福州市\n::2,::3,日本,,\n",
    )
    ips = pa.array(["1.0.0.0", "1.0.0.255", "1.0.1.0", "8.8.8.8", "::2", "::4", "192.0.2.1"])
    assert own(ips).to_pylist() == ["福建", "福建", None, "美国", "日本", None, None]


def test_a_table_without_ranges_knows_no_place(tmp_path: Path) -> None:
    assert table(tmp_path, HEAD)(pa.array(["1.2.3.4", "::1"])).to_pylist() == [None, None]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a,b\n", "line 1: expected the columns first,last,country,province,city; first is missing"),
        (f"{HEAD}1.0.0.0,1.0.0.256,x,,\n", "line 2: '1.0.0.256' is no IP address"),
        (f"{HEAD}1.0.0.0\n", "line 2: '' is no IP address"),
        (f"{HEAD}1.0.0.9,1.0.0.1,x,,\n", "line 2: 1.0.0.9 to 1.0.0.1 is no range"),
        (f"{HEAD}1.0.0.9,::1,x,,\n", "line 2: 1.0.0.9 to ::1 is no range"),
        (
            f"{HEAD}1.0.0.0,1.0.0.9,x,,\n2.0.0.0,2.0.0.9,x,,\n1.0.0.9,1.0.1.0,y,,\n",
            "line 4: the range overlaps the one of line 2",
        ),
    ],
)
def test_a_table_that_cannot_be_used_is_refused_with_its_line(
    tmp_path: Path, text: str, problem: str
) -> None:
    with pytest.raises(ValueError) as caught:
        table(tmp_path, text).held()
    assert str(caught.value) == problem

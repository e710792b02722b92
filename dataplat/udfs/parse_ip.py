"""``parse_ip(ip)``: where an address is, as reports group by it.

Takes text (``1.2.3.4``, ``2001:db8::1``, an IPv4 address as a whole number, ``16909060``) or whole numbers.
Returns a string, which is what a GROUP BY wants: the short name of the province in China (北京, 内蒙古), else
the country. NULL, what is no address, and addresses that the table does not know are NULL. An IPv4 address
inside IPv6 (``::ffff:1.2.3.4``) is that IPv4 address. Addresses are read as ``ipaddress`` reads them:
``01.2.3.4`` is none.

THE TABLE THAT IS SHIPPED IS NO REAL ONE: it holds the ranges that RFCs reserve for documentation and private
networks, with invented places. ``udf_files: {parse_ip: ip_places.csv}`` in platform.yaml names the real one.

No Python runs for each row as long as addresses are IPv4: a batch is parsed by Arrow and searched by numpy.
IPv6 is parsed by Python, each distinct address of a batch once.
"""

from pathlib import Path
from typing import Any

from dataplat.udfs.declare import udf
from dataplat.udfs.ip_table import IpTable, read_ip_table

TABLE = Path(__file__).with_name("ip_places.csv")
_OCTET = r"(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_IPV4 = rf"^{_OCTET}(?:\.{_OCTET}){{3}}$"
_NUMBER = r"^[0-9]{1,10}$"


@udf(returns="string", file=TABLE, read=read_ip_table)
def parse_ip(ips: Any, table: IpTable) -> Any:
    """Return the place of each address."""
    import pyarrow as pa

    distinct = ips.dictionary_encode()
    places = pa.array(table.names, pa.string())
    numbers = _numbers(distinct.dictionary, table)
    known = pa.array(numbers, mask=numbers < 0)
    return places.take(known).take(distinct.indices)


def _numbers(ips: Any, table: IpTable) -> Any:
    """Return the number of the place of each of some distinct values, -1 for none."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    numbers = np.full(len(ips), -1, dtype=np.int32)
    if pa.types.is_integer(ips.type) or pa.types.is_decimal(ips.type):
        ips = ips.cast(pa.string())
    text = pc.utf8_trim_whitespace(ips.cast(pa.string()))
    dotted = _where(pc.match_substring_regex(text, _IPV4))
    numbers[dotted] = table.v4.search(_from_dotted(text.take(pa.array(dotted))))
    counted = _where(pc.match_substring_regex(text, _NUMBER))
    whole = text.take(pa.array(counted)).cast(pa.int64()).to_numpy(zero_copy_only=False)
    fits = whole < 1 << 32
    numbers[counted[fits]] = table.v4.search(whole[fits].astype(np.uint32))
    with_colons = _where(pc.match_substring(text, ":"))
    for at, found in zip(with_colons, text.take(pa.array(with_colons)).to_pylist(), strict=True):
        numbers[at] = _search_v6(found, table)
    return numbers


def _where(mask: Any) -> Any:
    import numpy as np

    return np.flatnonzero(mask.fill_null(False).to_numpy(zero_copy_only=False))


def _from_dotted(text: Any) -> Any:
    """Return IPv4 addresses, known to be right, as unsigned integers."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    parts = pc.split_pattern(text, ".").flatten().cast(pa.uint32()).to_numpy(zero_copy_only=False)
    parts = parts.reshape(-1, 4)
    return parts[:, 0] << 24 | parts[:, 1] << 16 | parts[:, 2] << 8 | parts[:, 3] | np.uint32(0)


def _search_v6(text: str, table: IpTable) -> int:
    from ipaddress import IPv6Address

    import numpy as np

    try:
        address = IPv6Address(text)
    except ValueError:
        return -1
    inside = address.ipv4_mapped
    if inside is not None:
        return int(table.v4.search(np.array([int(inside)], dtype=np.uint32))[0])
    return int(table.v6.search(np.array([int(address).to_bytes(16)], dtype="S16"))[0])

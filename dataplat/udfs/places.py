"""Names of Chinese provinces and regions, brought to the short form that reports group by."""

COUNTRY = "中国"
_ENDINGS = (
    "特别行政区",
    "壮族自治区",
    "回族自治区",
    "维吾尔自治区",
    "自治区",
    "省",
    "市",
)


def normalise_place(country: str, province: str) -> str:
    """Return the place of an address: the province in China, else the country.

    >>> normalise_place("中国", "内蒙古自治区"), normalise_place("中国", "广西壮族自治区")
    ('内蒙古', '广西')
    >>> normalise_place("中国", "北京市"), normalise_place("中国香港", ""), normalise_place("", "台湾省")
    ('北京', '香港', '台湾')
    >>> normalise_place("美国", "California"), normalise_place("中国", "")
    ('美国', '中国')
    """
    country, province = country.strip(), province.strip()
    if country.startswith(COUNTRY) and country != COUNTRY:  # 中国香港
        country, province = COUNTRY, province or country.removeprefix(COUNTRY)
    if country not in ("", COUNTRY):
        return country
    name = province.removeprefix(COUNTRY)
    for ending in _ENDINGS:
        if name.endswith(ending) and len(name) > len(ending) + 1:
            return name.removesuffix(ending)
    return name or country

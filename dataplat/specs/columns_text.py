"""The target name of a column entry, where it can be seen without parsing SQL."""

import re

_PLAIN = re.compile(r"`?([A-Za-z_][A-Za-z0-9_$]*)`?")
_ALIASED = re.compile(r".*\sas\s+`?([A-Za-z_][A-Za-z0-9_$]*)`?", re.IGNORECASE | re.DOTALL)


def plain_target(text: str) -> str | None:
    """Return the lower-case target name of a plain or aliased entry, or nothing for any other.

    ``plan.columns`` decides in the end; this only finds mistakes early.

    >>> plain_target("detail AS detail_json"), plain_target("`Id`"), plain_target("now()")
    ('detail_json', 'id', None)
    """
    match = _PLAIN.fullmatch(text.strip()) or _ALIASED.fullmatch(text.strip())
    return match[1].lower() if match else None

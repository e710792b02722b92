"""The comment that every query begins with, so that a server's process list says who sent it. Pure text.

The token names one piece of work. It is what ``end_queries`` looks for, so it comes first, and it is random:
nobody ends the queries of another.
"""

import re

_UNSAFE = re.compile(r"[^\w.:@~\[\]-]+")
_LONGEST = 120


def query_tag(token: str, purpose: str, *, run_id: str, host: str, pid: int) -> str:
    """Return the comment.

    >>> query_tag("3f9c21ab", "ods.orders[2026-01-09]", run_id="0ce1", host="etl-7", pid=4711)
    '/* dataplat 3f9c21ab ods.orders[2026-01-09] run=0ce1 etl-7 pid=4711 */'
    """
    words = [token, _safe(purpose), f"run={_safe(run_id)}" if run_id else "", _safe(host), f"pid={pid}"]
    return f"/* dataplat {' '.join(word for word in words if word)} */"


def tag_pattern(token: str) -> str:
    """Return what the text of a tagged query is LIKE; every token is made of hexadecimal digits.

    >>> tag_pattern("3f9c21ab")
    '/* dataplat 3f9c21ab %'
    """
    if not re.fullmatch(r"[0-9a-f]+", token):
        raise ValueError("a token holds hexadecimal digits alone")
    return f"/* dataplat {token} %"


def _safe(text: str) -> str:
    return _UNSAFE.sub("_", text)[:_LONGEST]

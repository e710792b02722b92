"""Five-field cron expressions: checked, not computed. Dagster computes the ticks.

Accepted is what every cron understands: numbers, ``*``, lists, ranges, steps and English names of
months and days. Refused, because schedulers disagree on them: six fields, ``@daily``, ``L``, ``W``,
``#``, ``?``, ranges that run backwards, and days that no chosen month has (``0 0 31 2 *``).
"""

import re

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_FIELDS: tuple[tuple[str, int, int, dict[str, int]], ...] = (
    ("minute", 0, 59, {}),
    ("hour", 0, 23, {}),
    ("day of month", 1, 31, {}),
    ("month", 1, 12, {name: number for number, name in enumerate(_MONTHS, 1)}),
    ("day of week", 0, 7, {name: number for number, name in enumerate(_DAYS)}),
)
_LONGEST_MONTHS = {1: 31, 2: 29, 3: 31, 4: 30, 5: 31, 6: 30, 7: 31, 8: 31, 9: 30, 10: 31, 11: 30, 12: 31}
_ITEM = re.compile(r"(?P<all>\*)|(?P<first>[0-9]{1,2}|[a-z]{3})(?:-(?P<last>[0-9]{1,2}|[a-z]{3}))?")


def parse_cron(value: object) -> str:
    """Return the expression with single spaces.

    Raises:
        ValueError: If it is not five valid fields; the text names the field.

    >>> parse_cron("0  2 * * mon-fri")
    '0 2 * * mon-fri'
    """
    fields = value.split() if isinstance(value, str) else []
    if len(fields) != 5:
        raise ValueError(
            f"expected five fields (minute, hour, day of month, month, day of week) such as '0 2 * * *', "
            f"found {len(fields)}"
        )
    numbers = [_numbers(text, *field) for text, field in zip(fields, _FIELDS, strict=True)]
    days, months = numbers[2], numbers[3]
    if not any(min(days) <= _LONGEST_MONTHS[month] for month in months):
        raise ValueError(f"no chosen month has a day {min(days)}")
    return " ".join(fields)


def _numbers(text: str, name: str, low: int, high: int, names: dict[str, int]) -> set[int]:
    chosen: set[int] = set()
    for item in text.lower().split(","):
        body, slash, step = item.partition("/")
        match = _ITEM.fullmatch(body)
        if not match or (slash and not re.fullmatch(r"[1-9][0-9]?", step)):
            raise ValueError(f"{name} '{text}' cannot be read")
        if match["all"]:
            first, last = low, high
        else:
            first = _number(match["first"], name, low, high, names)
            last = _number(match["last"], name, low, high, names) if match["last"] else first
            last = high if slash and not match["last"] else last
        if first > last:
            raise ValueError(f"{name} '{text}' runs backwards")
        chosen.update(range(first, last + 1, int(step or 1)))
    return chosen


def _number(text: str, name: str, low: int, high: int, names: dict[str, int]) -> int:
    number = int(text) if text.isdigit() else names.get(text)
    if number is None:
        raise ValueError(f"{name} '{text}' cannot be read")
    if not low <= number <= high:
        raise ValueError(f"{name} {text} is outside {low} to {high}")
    return number

"""What holds for every date expression and every base."""

from calendar import monthrange
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import assume, given
from hypothesis import strategies as st

from dataplat.errors import DateExpressionError
from dataplat.plan.dates import explain_date, find_date_expressions, render_dates

NEW_YORK = ZoneInfo("America/New_York")
BASE = datetime(2026, 11, 20, tzinfo=ZoneInfo("Asia/Shanghai"))
TOKENS = ("yyyy", "MM", "dd", "HH", "mm", "ss")
UNITS = ("Y", "M", "d", "H", "m", "s")
separators = st.text(st.sampled_from(" _/.:,;年月日"), max_size=2)
moments = st.datetimes(datetime.fromisoformat("1900-01-01"), datetime.fromisoformat("2199-12-31"))


@st.composite
def date_formats(draw: st.DrawFn) -> str:
    """Return prefixes of the token sequence, so that no minutes stand without their hours."""
    first = draw(st.integers(0, 5))
    tokens = TOKENS[first : draw(st.integers(first + 1, 6))]
    return "".join(token + draw(separators) for token in tokens)


@given(date_formats(), moments)
def test_a_format_without_an_offset_is_what_strftime_writes(text: str, base: datetime) -> None:
    pattern = text
    for token, directive in zip(TOKENS, ("%Y", "%m", "%d", "%H", "%M", "%S"), strict=True):
        pattern = pattern.replace(token, directive)
    assert render_dates(f"$[{text}]", base) == base.strftime(pattern)


@given(date_formats(), moments, st.integers(-2000, 2000), st.sampled_from(UNITS[2:]))
def test_days_and_less_move_by_a_fixed_time_without_a_zone(
    text: str, base: datetime, count: int, unit: str
) -> None:
    step = {
        "d": timedelta(days=1),
        "H": timedelta(hours=1),
        "m": timedelta(minutes=1),
        "s": timedelta(seconds=1),
    }
    moved = base + count * step[unit]
    assert render_dates(f"$[{text}{count:+d}_{unit}]", base) == render_dates(f"$[{text}]", moved)


@given(moments, st.integers(-1200, 1200))
def test_a_month_step_lands_in_the_month_counted_and_changes_the_day_only_to_its_last(
    base: datetime, count: int
) -> None:
    year, month, day = map(int, render_dates(f"$[yyyy-MM-dd{count:+d}_M]", base).split("-"))
    assert year * 12 + month == base.year * 12 + base.month + count
    assert day == base.day or (day < base.day and day == monthrange(year, month)[1])


@given(moments, st.integers(0, 40), st.integers(0, 40), st.sampled_from(UNITS))
def test_a_product_is_its_value(base: datetime, a: int, b: int, unit: str) -> None:
    written = render_dates(f"$[yyyyMMddHHmmss-{a}*{b}_{unit}]", base)
    assert written == render_dates(f"$[yyyyMMddHHmmss-{a * b}_{unit}]", base)


@given(date_formats(), st.integers(1, 500))
def test_the_default_unit_is_the_smallest_token(text: str, count: int) -> None:
    smallest = max((token for token in TOKENS if token in text), key=TOKENS.index)
    unit = UNITS[TOKENS.index(smallest)]
    assert render_dates(f"$[{text}-{count}]", BASE) == render_dates(f"$[{text}-{count}_{unit}]", BASE)


@given(st.text(st.sampled_from("yMdHmsT$[]+-*_0189 :'(x年\n"), max_size=30))
def test_text_either_renders_or_is_refused_and_never_keeps_an_expression(text: str) -> None:
    try:
        rendered = render_dates(text, BASE)
    except DateExpressionError:
        assert any(found.problem for found in find_date_expressions(text))
        return
    found = find_date_expressions(text)
    assert all(one.expression for one in found)
    outside = text
    for one in reversed(found):
        outside = outside[: one.start] + "\0" + outside[one.end :]
    for piece in outside.split("\0"):
        assert piece in rendered


@given(moments, st.integers(-500, 500))
def test_hours_there_and_back_are_the_base_again_in_any_zone(base: datetime, count: int) -> None:
    here = base.replace(tzinfo=UTC).astimezone(NEW_YORK)
    (there,) = explain_date(f"$[yyyyMMddHHmmss{count:+d}_H]", here)
    assume(count)
    assert there.moment.astimezone(UTC) - here.astimezone(UTC) == timedelta(hours=count)

"""Whatever is written into the files, the answer is a catalog or problems with file and line."""

import re
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dataplat.errors import SpecError
from dataplat_tests.unit.specs.folder import EXAMPLES, FLOW, MARKET, MONEY, PLATFORM, Config

FILES = st.sampled_from([MONEY, FLOW, MARKET, PLATFORM])
PLACE = re.compile(r"config/[\w./-]+:[1-9][0-9]*")
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20),
    st.sampled_from(["*", "${X}", "${", "$[yyyy]", "2d", "30%", "ods.x", "UTC", "{secret: x}", "id AS x"]),
)  # fmt: skip
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
FUZZ = settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def problems_of(config: Config) -> Sequence[tuple[str, str]]:
    try:
        config.load({"X": "1"})
    except SpecError as error:
        return error.facts or [("", "an error without a problem")]
    return ()


def expect_catalog_or_places(file: str, text: str) -> None:
    with TemporaryDirectory() as folder:
        config = Config(Path(folder))
        config.write(file, text)
        for place, problem in problems_of(config):
            assert PLACE.fullmatch(place)
            assert problem
            assert problem.isprintable()


@st.composite
def changed_values(draw: st.DrawFn) -> tuple[str, str]:
    """An example with one value or list item dropped, renamed or replaced."""
    file = draw(FILES)
    content = yaml.safe_load((EXAMPLES / file).read_text(encoding="utf-8"))
    holders: list[Any] = [content]
    for holder in holders:
        inner = holder.values() if isinstance(holder, dict) else holder
        holders += [item for item in inner if isinstance(item, dict | list) and item]
    holder = draw(st.sampled_from(holders))
    key = draw(st.sampled_from(sorted(holder) if isinstance(holder, dict) else range(len(holder))))
    match draw(st.sampled_from(["drop", "rename", "replace"])):
        case "drop":
            del holder[key]
        case "rename" if isinstance(holder, dict):
            holder[draw(st.text(max_size=8))] = holder.pop(key)
        case _:
            holder[key] = draw(VALUES)
    return file, yaml.safe_dump(content, allow_unicode=True)


@st.composite
def garbled_text(draw: st.DrawFn) -> tuple[str, str]:
    """An example with a stretch of characters replaced by others."""
    file = draw(FILES)
    text = (EXAMPLES / file).read_text(encoding="utf-8")
    start = draw(st.integers(0, len(text)))
    end = draw(st.integers(start, min(len(text), start + 20)))
    characters = st.text(st.sampled_from("[]{}:,-&*!|>'\"%@`#?~$ \n\tx7\0é\ufeff"), max_size=8)
    return file, text[:start] + draw(characters) + text[end:]


@FUZZ
@given(changed_values())
def test_a_changed_value_is_a_catalog_or_a_place(changed: tuple[str, str]) -> None:
    expect_catalog_or_places(*changed)


@FUZZ
@given(garbled_text())
def test_garbled_text_is_a_catalog_or_a_place(changed: tuple[str, str]) -> None:
    expect_catalog_or_places(*changed)

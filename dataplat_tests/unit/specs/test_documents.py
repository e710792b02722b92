from pathlib import Path

import pytest

from dataplat.specs.documents import Document, parse_document

LIMIT = "holds more than 100,000 values or 50 levels once its aliases are copied out"

TWO_DOCUMENTS = "expected a single document in the stream but found another document"


def parse(text: str) -> Document:
    return parse_document(text, "x.yaml", Path("x.yaml"))


def test_scalars_are_what_they_look_like_and_no_more() -> None:
    document = parse("[yes, no, on, 0123, 12:30:00, 2026-01-01, 1e5, 1_000, null, ~, true, 7, -1, 1.5, '7']")

    assert document.value == [
        *("yes", "no", "on", "0123", "12:30:00", "2026-01-01", "1e5", "1_000"),
        *(None, None, True, 7, -1, 1.5, "7"),
    ]


def test_keys_are_always_text() -> None:
    assert parse("{1: a, true: b, ~: c}").value == {"1": "a", "true": "b", "~": "c"}


def test_every_key_and_item_knows_its_line() -> None:
    declared = parse("a: 1\nb:\n  - x\n  - c: 2\n    d:\n      3\n").declared

    assert [declared.line(*loc) for loc in [("a",), ("b",), ("b", 0), ("b", 1), ("b", 1, "d")]] == [
        1,
        2,
        3,
        4,
        5,
    ]
    assert declared.line("b", 1, "missing", "deeper") == 4
    assert declared.line("missing") == 1
    assert declared.at("b", 1, "d") == "x.yaml:5 b[1].d"
    assert declared.at() == "x.yaml:1"


def test_an_alias_is_a_copy() -> None:
    assert parse("a: &x [1, 2]\nb: *x\n").value == {"a": [1, 2], "b": [1, 2]}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a: 1\nb: 2\na: 3\n", "x.yaml:3 a: given twice, first in line 1"),
        ("x:\n  a: 1\n  a: 3\n", "x.yaml:3 x.a: given twice, first in line 2"),
        ("a: 1\n---\nb: 2\n", "x.yaml:2 is not YAML: " + TWO_DOCUMENTS),
        ("a: 1\n b: 2\n", "x.yaml:2 is not YAML: mapping values are not allowed in this context"),
        ("a: *b\n", "x.yaml:1 is not YAML: found undefined alias"),
        ("a: 1\nb: \x07\n", "x.yaml:2 is not YAML: control characters are not allowed"),
        ("a: !!python/name:os\n", "x.yaml:1 a: tags such as tag:yaml.org,2002:python/name:os are not read"),
        ("a: !!int x\n", "x.yaml:1 a: tags such as tag:yaml.org,2002:int are not read"),
        ("a: !!set {x}\n", "x.yaml:1 a: tags such as tag:yaml.org,2002:set are not read"),
        ("? [1]\n: 2\n", "x.yaml:1 a key must be plain text"),
        ("a: &x [*x]\n", f"x.yaml:1 {LIMIT}"),
        ("- " * 60 + "x", f"x.yaml:1 {LIMIT}"),
        ("[" * 200_000, f"x.yaml:1 {LIMIT}"),
        ("a:\n" + "- " * 200_000, f"x.yaml:2 {LIMIT}"),
    ],
    ids=lambda text: text[:30],
)  # fmt: skip
def test_what_is_not_plain_yaml_is_a_problem_with_its_line(text: str, problem: str) -> None:
    assert [f"{found.at} {found.message}" for found in parse(text).problems] == [problem]


def test_aliases_cannot_make_a_small_file_huge() -> None:
    rows = ["a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]"]
    rows += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]

    assert [problem.text for problem in parse("\n".join(rows)).problems] == [LIMIT]

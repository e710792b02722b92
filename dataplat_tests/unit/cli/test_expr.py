"""``dataplat expr``."""

import pytest

from dataplat_tests.unit.cli.harness import CommandLine


@pytest.mark.parametrize(
    ("text", "at", "result"),
    [
        ("$[yyyy-MM-dd-8]", "2026-03-31", "2026-03-23"),
        ("t_$[yyyy_MM-1_M] AND d = '$[yyyyMMdd+7*2_d]'", "20260331", "t_2026_02 AND d = '20260414'"),
        ("$[yyyyMMddHH-1_H]", "2026033100", "2026033023"),
        ("$[yyyyMM]", "2026-03", "202603"),
        ("nothing in it", "2026-03-31", "nothing in it"),
    ],
)
def test_an_expression_takes_its_date_from_the_partition(
    dataplat: CommandLine, text: str, at: str, result: str
) -> None:
    ran = dataplat("expr", text, "--at", at)
    assert (ran.code, ran.out, ran.err) == (0, result + "\n", "")


def test_explain_says_how_each_result_comes_about(dataplat: CommandLine) -> None:
    assert dataplat("expr", "$[yyyy-MM-dd-8]", "--at", "2026-03-31", "--explain").out == (
        "$[yyyy-MM-dd-8] = 2026-03-23\n"
        "  base     2026-03-31 00:00:00\n"
        "  offset   -8 days, the smallest token of the format\n"
        "  moment   2026-03-23 00:00:00\n"
        "  format   yyyy-MM-dd\n"
    )
    assert dataplat("expr", "x", "--at", "2026-03-31", "--explain").out == (
        "there is no date expression in it\n"
    )


def test_json_holds_the_result_and_how_it_comes_about(dataplat: CommandLine) -> None:
    assert dataplat("expr", "$[yyyyMM-1_M]", "--at", "2026-03-31", "--json").document == {
        "ok": True,
        "text": "$[yyyyMM-1_M]",
        "at": "2026-03-31T00:00:00",
        "result": "202602",
        "expressions": [
            {
                "expression": "$[yyyyMM-1_M]",
                "format": "yyyyMM",
                "offset": -1,
                "unit": "M",
                "unit_given": True,
                "base": "2026-03-31T00:00:00",
                "moment": "2026-02-28T00:00:00",
                "result": "202602",
            }
        ],
    }


def test_an_expression_that_cannot_be_read_says_where(dataplat: CommandLine) -> None:
    ran = dataplat("expr", "$[yyyyMMDD]", "--at", "2026-03-31")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err == (
        "$[yyyyMMDD]: this date expression cannot be read\n"
        "  expected   $[format(+|-)N(_U)], format of yyyy MM dd HH mm ss, U one of Y M d H m s\n"
        "  found      'DD' is no date token; did you mean 'dd'? (character 9)\n"
        "  effect     nothing was sent to any source\n"
        "  next       dataplat expr '$[yyyy-MM-dd-8_d]' --at 2026-03-31\n"
    )


def test_a_base_that_is_no_partition_is_refused(dataplat: CommandLine) -> None:
    ran = dataplat("expr", "$[yyyy]", "--at", "yesterday")
    assert ran.code == 2
    assert ran.err == (
        "--at: 'yesterday' is no partition that can be read\n"
        "  expected   2026-03-31, 20260331, 2026033105, '2026-03-31 05', 2026-03 or 202603\n"
        "  effect     nothing was rendered\n"
        "  next       dataplat expr '$[yyyy-MM-dd-8]' --at 2026-03-31\n"
    )

from dataplat_tests.unit.specs.folder import MARKET, MONEY, PLATFORM, Config


def test_a_variable_takes_its_default_when_it_is_unset_or_empty(config: Config) -> None:
    config.replace(MARKET, "host: 127.0.0.1", "host: ${H:-db.local}")

    assert config.load().sources["market"].host == "db.local"
    assert config.load({"H": ""}).sources["market"].host == "db.local"
    assert config.load({"H": "other"}).sources["market"].host == "other"


def test_a_variable_may_be_a_number(config: Config) -> None:
    config.replace(MARKET, "port: 3306", "port: ${PORT}")

    assert config.load({"PORT": "3307"}).sources["market"].port == 3307


def test_a_variable_that_is_not_a_number_is_the_variable_s_fault(config: Config) -> None:
    config.replace(MARKET, "port: 3306", "port: ${PORT}")

    assert config.problems({"PORT": "x"}) == [
        "config/sources/market.yaml:4  port: expected a whole number, found 'x'"
    ]


def test_a_variable_inside_brackets_without_quotes_is_told_from_other_bad_yaml(config: Config) -> None:
    config.replace(PLATFORM, "{mode: local}", "{master: ${MASTER}}")

    yaml = "is not YAML: while parsing a flow mapping did not find expected ',' or '}'"
    assert config.problems() == [f"config/platform.yaml:6  {yaml}; inside [ ] and {{ }} put ${{…}} in quotes"]


def test_an_unset_variable_is_one_problem_wherever_it_stands(config: Config) -> None:
    config.replace(PLATFORM, "{mode: local}", "{conf: {a: ['${H}']}}")

    assert config.problems({"HS": "x"}) == [
        "config/platform.yaml:6  engine.conf.a: expected text (in quotes), found a list",
        "config/platform.yaml:6  engine.conf.a[0]: environment variable H is not set; did you mean 'HS'?",
    ]


def test_two_dollars_are_one_and_date_expressions_are_left_alone(config: Config) -> None:
    config.add(MONEY, "\nwhere: \"a = '$${X}' AND d < '$[yyyy-MM-dd-8]'\"\n")

    assert config.load().table("ods.ods_t_money_record").where == "a = '${X}' AND d < '$[yyyy-MM-dd-8]'"

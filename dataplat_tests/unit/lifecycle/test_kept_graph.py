"""The kept graph is the built one, and nothing but time depends on it."""

import subprocess
import sys
from pathlib import Path

import pytest

from dataplat.errors import SpecError
from dataplat.lifecycle.kept_graph import kept_graph
from dataplat.plan.models import reading
from dataplat.specs import Catalog
from dataplat_tests.unit.plan.models.builders import catalog, loaded, model

ACCOUNT = loaded("ods.ods_t_account", ["id", "name"])
CLICK = loaded("ods.ods_t_click", ["account_id", "url"], "hour")
DAY_SQL = (
    "SELECT a.id, upper(a.name) AS name, count(*) AS clicks FROM ods.ods_t_account a"
    " JOIN ods.ods_t_click c ON c.account_id = a.id AND c.ds = a.ds WHERE a.ds = '{{ ds }}' GROUP BY 1, 2"
)
WEEK_SQL = (
    "SELECT d.id, y.clicks AS before FROM dw.dw_day d LEFT JOIN ads.ads_week y ON y.id = d.id"
    " AND y.ds = '{{ prev_ds }}' JOIN legacy.city c ON c.id = d.id"
    " WHERE d.ds BETWEEN date_sub('{{ ds }}', 6) AND '{{ ds }}'"
)


def models(day_sql: str = DAY_SQL) -> Catalog:
    week = model(WEEK_SQL, "ads.ads_week")
    return catalog(model(day_sql, "dw.dw_day"), week, ACCOUNT, CLICK, external=["legacy.city"])


def files(home: Path) -> list[Path]:
    return sorted((home / "cache").iterdir())


def test_a_kept_graph_is_the_one_that_was_built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    built = kept_graph(models(), tmp_path)
    monkeypatch.delattr(reading, "build_graph")
    kept = kept_graph(models(), tmp_path)

    assert kept == built == reading_again(monkeypatch)
    assert list(kept.models) == ["dw.dw_day", "ads.ads_week"]
    assert kept.downstreams("ods.ods_t_click") == ("dw.dw_day",)


def reading_again(monkeypatch: pytest.MonkeyPatch) -> object:
    monkeypatch.undo()
    return reading.build_graph(models())


def test_changed_sql_is_read_and_the_old_graph_is_not_kept(tmp_path: Path) -> None:
    kept_graph(models(), tmp_path)
    [before] = files(tmp_path)
    graph = kept_graph(models(DAY_SQL.replace("clicks", "visits")), tmp_path)
    assert graph.models["dw.dw_day"].columns == ("id", "name", "visits")
    [after] = files(tmp_path)
    assert after != before


@pytest.mark.parametrize("damage", [b"", b"{", b'{"dw.dw_day": {"columns": 1}}', b"\xff\x00"])
def test_a_damaged_file_is_made_anew(tmp_path: Path, damage: bytes) -> None:
    built = kept_graph(models(), tmp_path)
    [path] = files(tmp_path)
    whole = path.read_bytes()
    path.write_bytes(damage)
    assert kept_graph(models(), tmp_path) == built
    assert path.read_bytes() == whole


def test_a_home_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    kept_graph(models(), tmp_path / "home")
    assert not (tmp_path / "home").exists()


def test_a_home_that_cannot_be_written_costs_time_only(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file where the folder should be")
    assert kept_graph(models(), tmp_path) == reading.build_graph(models())


def test_a_graph_with_problems_is_not_kept(tmp_path: Path) -> None:
    for _ in range(2):
        with pytest.raises(SpecError, match=r"there is no table 'ods\.gone'"):
            kept_graph(models("SELECT id FROM ods.gone WHERE ds = '{{ ds }}'"), tmp_path)
    assert not (tmp_path / "cache").exists()


def test_no_model_needs_no_file(tmp_path: Path) -> None:
    assert kept_graph(catalog(ACCOUNT), tmp_path).models == {}
    assert list(tmp_path.iterdir()) == []


def test_a_process_with_a_kept_graph_does_not_import_the_parser(tmp_path: Path) -> None:
    kept_graph(models(), tmp_path)
    code = (
        "import sys; from pathlib import Path\n"
        "from dataplat.lifecycle.kept_graph import kept_graph\n"
        "from dataplat_tests.unit.lifecycle.test_kept_graph import models\n"
        "[sys.modules.pop(name) for name in list(sys.modules) if name.startswith('sqlglot')]\n"
        f"kept_graph(models(), Path({str(tmp_path)!r}))\n"
        "print('sqlglot' in sys.modules)\n"
    )
    root = Path(__file__).parents[3]
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=root)
    assert (done.stdout, done.returncode) == ("False\n", 0), done.stderr

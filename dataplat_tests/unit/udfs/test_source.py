"""The version of a UDF changes when the function could answer differently, and only then."""

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from dataplat.udfs import Udf
from dataplat.udfs.parse_ip import parse_ip
from dataplat.udfs.source import fingerprint

TEXT = """\
SUFFIX = "!"
UNUSED = 1

def shout(words):
    return [word + SUFFIX for word in words]
"""
UDFS = '''\
import re, json
from acme_versions.text import shout, UNUSED
from dataplat.udfs import udf

LIMIT = 3

def cut(words):
    return words[:LIMIT]

@udf(returns="string")
def loud(words):
    """What it does."""
    return cut(shout(words))

@udf(returns="string")
def other(words):
    return re.sub("a", "b", words)
'''


@pytest.fixture
def acme(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    package = tmp_path / "acme_versions"
    package.mkdir()
    for name, text in {"__init__": "", "text": TEXT, "udfs": UDFS}.items():
        (package / f"{name}.py").write_text(text, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    yield package
    forget()


def forget() -> None:
    for name in [name for name in sys.modules if name.startswith("acme_versions")]:
        del sys.modules[name]


def version(name: str = "loud") -> str:
    forget()
    importlib.invalidate_caches()
    found = getattr(importlib.import_module("acme_versions.udfs"), name)
    assert isinstance(found, Udf)
    return fingerprint(found)


def change(package: Path, module: str, old: str, new: str) -> None:
    path = package / f"{module}.py"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


@pytest.mark.parametrize(
    ("module", "old", "new"),
    [
        ("udfs", "cut(shout(words))", "shout(cut(words))"),
        ("udfs", "LIMIT = 3", "LIMIT = 4"),
        ("udfs", "words[:LIMIT]", "words[-LIMIT:]"),
        ("udfs", 'returns="string")\ndef loud', 'returns="bigint")\ndef loud'),
        ("text", 'SUFFIX = "!"', 'SUFFIX = "?"'),
        ("text", "word + SUFFIX", "SUFFIX + word"),
    ],
)
def test_a_change_of_anything_that_it_uses_is_a_change(acme: Path, module: str, old: str, new: str) -> None:
    before = version()
    change(acme, module, old, new)
    assert version() != before


@pytest.mark.parametrize(
    ("module", "old", "new"),
    [
        ("udfs", "What it does.", "What it does, in other words."),
        ("udfs", "def cut(words):", "def cut(words):  # a comment"),
        ("udfs", 're.sub("a", "b", words)', 're.sub("a", "c", words)'),
        ("udfs", "import re, json", "import re"),
        ("text", "UNUSED = 1", "UNUSED = 2"),
    ],
)
def test_a_change_beside_it_is_none(acme: Path, module: str, old: str, new: str) -> None:
    before = version()
    change(acme, module, old, new)
    assert version() == before


def test_the_version_is_the_same_in_every_process_and_of_each_udf_its_own(acme: Path) -> None:
    assert version() == version()
    assert version("loud") != version("other")


def test_a_version_that_is_raised_by_hand_is_a_change(acme: Path) -> None:
    before = version()
    change(acme, "udfs", '@udf(returns="string")\ndef loud', '@udf(returns="string", version="2")\ndef loud')
    assert version() != before


def test_another_file_is_a_change(tmp_path: Path) -> None:
    shipped = fingerprint(parse_ip)
    assert parse_ip.file is not None
    copy = tmp_path / "copy.csv"
    copy.write_bytes(parse_ip.file.read_bytes())
    own = Udf(parse_ip.name, parse_ip.returns, parse_ip.function, copy, parse_ip.read)
    assert fingerprint(own) == shipped
    copy.write_bytes(copy.read_bytes() + b"8.0.0.0,8.0.0.1,x,,\n")
    assert fingerprint(own) != shipped

"""A configuration folder made of the examples, to be changed by each test."""

import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest

from dataplat.errors import SpecError
from dataplat.specs import Catalog, load_catalog

EXAMPLES = Path(__file__).parent / "examples" / "config"
MONEY = "ods/ods_t_money_record.yaml"
FLOW = "ods/ods_t_package_flow_log.yaml"
MARKET = "sources/market.yaml"
PLATFORM = "platform.yaml"


class Config:
    """The examples in a folder of their own."""

    def __init__(self, root: Path) -> None:
        self.dir = root / "config"
        shutil.copytree(EXAMPLES, self.dir)
        self.write("sources/logistics.yaml", self.read(MARKET).replace("MARKET", "LOGISTICS"))

    def read(self, file: str) -> str:
        return (self.dir / file).read_text(encoding="utf-8")

    def write(self, file: str, text: str) -> None:
        path = self.dir / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def replace(self, file: str, old: str, new: str) -> None:
        text = self.read(file)
        assert old in text, f"{old!r} is not in {file}"
        self.write(file, text.replace(old, new, 1))

    def add(self, file: str, text: str) -> None:
        self.write(file, self.read(file) + text)

    def load(self, environ: Mapping[str, str] | None = None) -> Catalog:
        return load_catalog(self.dir, environ or {})

    def error(self, environ: Mapping[str, str] | None = None) -> SpecError:
        with pytest.raises(SpecError) as caught:
            self.load(environ)
        return caught.value

    def problems(self, environ: Mapping[str, str] | None = None) -> list[str]:
        """The problems as printed: ``config/ods/x.yaml:3  load: …``."""
        return [f"{place}  {text}" for place, text in self.error(environ).facts]

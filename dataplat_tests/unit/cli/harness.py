"""A command line as a person gives it, in this process: exit code, stdout and stderr apart."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from dataplat.cli.main import run


@dataclass(frozen=True)
class Ran:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """The one JSON document on stdout; anything beside it is an error here."""
        return json.loads(self.out)


@dataclass
class CommandLine:
    """Runs ``dataplat …`` against one configuration folder and one home.

    ``masks`` are texts that differ from run to run, and what stands for them in what was printed.
    """

    config: Path
    home: Path
    capture: pytest.CaptureFixture[str]
    environ: dict[str, str] = field(default_factory=dict)
    masks: dict[str, str] = field(default_factory=dict)

    def __call__(self, *arguments: str, environ: Mapping[str, str] | None = None) -> Ran:
        ours = {"DATAPLAT_CONFIG": str(self.config), "DATAPLAT_HOME": str(self.home), "DATAPLAT_ACTOR": "ann"}
        self.capture.readouterr()
        code = run(arguments, {**ours, **self.environ, **(environ or {})})
        printed = self.capture.readouterr()
        return Ran(code, self._masked(printed.out), self._masked(printed.err))

    def _masked(self, text: str) -> str:
        for pattern, name in {re.escape(str(self.home)): "HOME", **self.masks}.items():
            text = re.sub(pattern, name, text)
        return text

"""Results of audits that their database did not take: kept on this disk until it does.

Each delivery that failed is one file, written wholly or not at all. It is deleted once its results are in the
database; a crash in between delivers them twice, and a result that is written twice is one row.
"""

import json
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

from dataplat.errors import StorageError
from dataplat.plan.audit_results import AuditResult
from dataplat.storage.atomic_file import write_atomically


class ResultSpool:
    """The results that wait in one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def add(self, results: Sequence[AuditResult]) -> None:
        """Keep results until they are delivered.

        Raises:
            StorageError: They could not be written: they are nowhere.
        """
        lines = [json.dumps(asdict(one), default=_written, ensure_ascii=False) for one in results]
        first = min(one.created_at for one in results)
        path = self.folder / f"{first:%Y%m%dT%H%M%S}-{secrets.token_hex(4)}.jsonl"
        try:
            write_atomically(path, "\n".join(lines) + "\n")
        except OSError as error:
            raise StorageError(
                str(self.folder),
                "results of an audit could not be kept on this disk either",
                facts=[("found", str(error))],
                effect=f"{len(results)} results are lost; the watermark stays, so they are counted again",
            ) from error

    def files(self) -> list[Path]:
        """Return the files that wait, the oldest first."""
        return sorted(self.folder.glob("*.jsonl")) if self.folder.is_dir() else []

    def read(self, path: Path) -> list[AuditResult]:
        """Return the results in one of the files.

        Raises:
            StorageError: It cannot be read. It is as it was.
        """
        try:
            return list(_results(path))
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise StorageError(
                str(path),
                "results that wait to be delivered cannot be read",
                facts=[("found", str(error))],
                effect="they are not in the database; the file is as it was",
                next_steps=["move the file away, and audit its dates again"],
            ) from error

    def remove(self, path: Path) -> None:
        """Forget a file whose results were delivered; one that somebody else has removed is fine."""
        path.unlink(missing_ok=True)


def _results(path: Path) -> Iterator[AuditResult]:
    for line in path.read_text(encoding="utf-8").splitlines():
        content = json.loads(line)
        yield AuditResult(**(content | {"created_at": datetime.fromisoformat(content["created_at"])}))


def _written(value: object) -> str:
    assert isinstance(value, datetime)
    return value.isoformat()

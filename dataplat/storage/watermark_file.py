"""The watermark in a JSON file, as the old auditor kept it: ``last_end_time`` and ``updated_at``.

Written to a file beside it, forced to disk, renamed over it, and the folder forced to disk: whoever reads
finds the old one or the new one, also after a power cut. The names are the old ones, so that the file of a
running installation is taken over as it is.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from dataplat.errors import WatermarkError
from dataplat.plan.watermark import Watermark, align
from dataplat.storage.atomic_file import sync_folder, write_atomically

_EFFECT = "nothing was audited: starting from the lookback would skip what is older"


class WatermarkFile:
    """A watermark store on a local disk; see ``plan.watermark.WatermarkStore`` for what it promises.

    Args:
        path: The file; its folder is made when something is saved.
        zone: What times without an offset in it mean.
    """

    def __init__(self, path: Path, zone: ZoneInfo) -> None:
        self._path, self._zone = path, zone

    def read(self) -> Watermark | None:
        """Return the watermark, ``None`` if there is no file."""
        try:
            text = self._path.read_text(encoding="utf-8")
            content = json.loads(text)
            last_end_time = self._time(content["last_end_time"])
            return Watermark(last_end_time, self._time(content.get("updated_at") or content["last_end_time"]))
        except FileNotFoundError:
            return None
        except KeyError as error:
            raise self._unreadable(f"it has no {error}") from error
        except (ValueError, TypeError, AttributeError, OSError) as error:
            raise self._unreadable(str(error)) from error

    def save(self, watermark: Watermark) -> None:
        """Keep a watermark.

        Raises:
            WatermarkError: It could not be written; the old one is as it was.
        """
        content = {
            "last_end_time": watermark.last_end_time.astimezone(self._zone).isoformat(),
            "updated_at": watermark.updated_at.astimezone(self._zone).isoformat(),
        }
        with self._writing():
            write_atomically(self._path, json.dumps(content, indent=2))

    def clear(self) -> None:
        """Delete the file; none is fine.

        Raises:
            WatermarkError: It could not be deleted.
        """
        with self._writing():
            try:
                self._path.unlink()
            except FileNotFoundError:
                return
            sync_folder(self._path.parent)

    def _time(self, text: str) -> datetime:
        return align(datetime.fromisoformat(text), self._zone)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise WatermarkError(
                str(self._path),
                "the watermark could not be written",
                facts=[("found", str(error))],
                effect="the next run looks at this window again",
            ) from error

    def _unreadable(self, found: str) -> WatermarkError:
        return WatermarkError(
            str(self._path),
            "the watermark cannot be read",
            facts=[("expected", '{"last_end_time": "2026-01-09T05:00:00+08:00"}'), ("found", found)],
            effect=_EFFECT,
            next_steps=["dataplat audit run --watermark-reset --hours-lookback HOURS"],
        )

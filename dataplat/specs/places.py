"""Relative places of ``platform.yaml``, made absolute once, so that the working directory never matters."""

from dataclasses import replace
from pathlib import Path

from dataplat.specs.platform import PlatformSpec
from dataplat.specs.secrets import SecretText

_SQLITE = "sqlite:///"


def absolute_platform(platform: PlatformSpec, root: Path) -> PlatformSpec:
    """Return the platform with its home, a local warehouse, an SQLite ledger and UDF files as absolute paths.

    Args:
        platform: As written; ``file://.dataplat/warehouse`` is below ``root``, ``file:///srv`` is not.
        root: The folder that holds the configuration folder.
    """
    return platform.declared_in(
        platform.declared,
        home=str(root / platform.home),
        warehouse=absolute_uri(platform.warehouse, root),
        ledger=_absolute_ledger(platform.ledger, root),
        udf_files={name: str(root / path) for name, path in platform.udf_files.items()},
    )


def absolute_uri(uri: str, root: Path) -> str:
    """Return a ``file:`` URI with an absolute path, and any other as it is.

    >>> absolute_uri("file://.dataplat/warehouse", Path("/srv/app"))
    'file:///srv/app/.dataplat/warehouse'
    """
    if not uri.startswith("file:"):
        return uri
    path = uri.removeprefix("file:")
    path = path.removeprefix("//") if path.startswith("//") else path
    return f"file://{root / path}"


def _absolute_ledger(ledger: SecretText, root: Path) -> SecretText:
    first = ledger.parts[0]
    if not isinstance(first, str) or not first.startswith(_SQLITE):
        return ledger
    return replace(ledger, parts=(f"{_SQLITE}{root / first.removeprefix(_SQLITE)}", *ledger.parts[1:]))

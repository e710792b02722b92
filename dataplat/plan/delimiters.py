"""A delimiter as it is given on a command line."""

from dataplat.errors import SelectionError
from dataplat.specs.delimiters import EXPECTED, delimiter_bytes


def parse_delimiter(text: str, *, subject: str = "--delimiter") -> bytes:
    """Return the bytes of a delimiter, as ``specs.delimiters`` reads it.

    Raises:
        SelectionError: If it is empty, or a backslash begins nothing known.
    """
    try:
        return delimiter_bytes(text)
    except ValueError as error:
        raise SelectionError(
            subject,
            f"{text!r} is no delimiter that can be read",
            facts=[("expected", EXPECTED), ("found", str(error))],
            effect="nothing was counted",
        ) from error

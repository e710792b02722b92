r"""How people write the bytes that end a line of text: ``\n``, ``\001``, ``\x01``, ``||``, ``\r\n``."""

import re

from dataplat.errors import SelectionError

_NAMED = {"n": b"\n", "r": b"\r", "t": b"\t", "\\": b"\\", "0": b"\0"}
_ESCAPE = re.compile(
    r"\\(?:x([0-9A-Fa-f]{2})|u([0-9A-Fa-f]{4})|([0-7]{3})|([nrt0\\]))|([^\\]+)|(\\)", re.DOTALL
)


def parse_delimiter(text: str, *, subject: str = "--delimiter") -> bytes:
    r"""Return the bytes of a delimiter; text that is no escape stands for itself, in UTF-8.

    A delimiter that already is the character, because a shell or YAML made it one, is taken as it is.

    Raises:
        SelectionError: If it is empty, or a backslash begins nothing known.

    >>> parse_delimiter(r"\n"), parse_delimiter("\n"), parse_delimiter(r"\001\x02"), parse_delimiter("||")
    (b'\n', b'\n', b'\x01\x02', b'||')
    """
    parts: list[bytes] = []
    for match in _ESCAPE.finditer(text):
        hexadecimal, unicode, octal, named, plain, alone = match.groups()
        if alone or (octal and int(octal, 8) > 255):
            raise _unreadable(text, f"'{text[match.start() :]}'", subject)
        if hexadecimal or octal:
            parts.append(bytes([int(hexadecimal, 16) if hexadecimal else int(octal, 8)]))
        elif unicode:
            parts.append(_encoded(chr(int(unicode, 16)), text, subject))
        else:
            parts.append(_NAMED[named] if named else _encoded(plain, text, subject))
    if not parts:
        raise _unreadable(text, "nothing", subject)
    return b"".join(parts)


def _encoded(characters: str, text: str, subject: str) -> bytes:
    try:
        return characters.encode()
    except UnicodeEncodeError:
        raise _unreadable(text, "half of a character", subject) from None


def _unreadable(text: str, found: str, subject: str) -> SelectionError:
    return SelectionError(
        subject,
        f"{text!r} is no delimiter that can be read",
        facts=[("expected", r"characters, or \n \r \t \0 \\ \001 (octal) \x01 \u0001"), ("found", found)],
        effect="nothing was counted",
    )

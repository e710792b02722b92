r"""How people write the bytes that end a line of text: ``\n``, ``\001``, ``\x01``, ``||``, ``\r\n``."""

import re

_NAMED = {"n": b"\n", "r": b"\r", "t": b"\t", "\\": b"\\", "0": b"\0"}
_ESCAPE = re.compile(
    r"\\(?:x([0-9A-Fa-f]{2})|u([0-9A-Fa-f]{4})|([0-7]{3})|([nrt0\\]))|([^\\]+)|(\\)", re.DOTALL
)
EXPECTED = r"characters, or \n \r \t \0 \\ \001 (octal) \x01 \u0001"


def delimiter_bytes(text: str) -> bytes:
    r"""Return the bytes of a delimiter; text that is no escape stands for itself, in UTF-8.

    A delimiter that already is the character, because a shell or YAML made it one, is taken as it is.

    Raises:
        ValueError: It is empty, or a backslash begins nothing known; says what was found.

    >>> delimiter_bytes(r"\n"), delimiter_bytes("\n"), delimiter_bytes(r"\001\x02"), delimiter_bytes("||")
    (b'\n', b'\n', b'\x01\x02', b'||')
    """
    parts: list[bytes] = []
    for match in _ESCAPE.finditer(text):
        hexadecimal, unicode, octal, named, plain, alone = match.groups()
        if alone or (octal and int(octal, 8) > 255):
            raise ValueError(f"'{text[match.start() :]}'")
        if hexadecimal or octal:
            parts.append(bytes([int(hexadecimal, 16) if hexadecimal else int(octal, 8)]))
        elif unicode:
            parts.append(_encoded(chr(int(unicode, 16))))
        else:
            parts.append(_NAMED[named] if named else _encoded(plain))
    if not parts:
        raise ValueError("nothing")
    return b"".join(parts)


def _encoded(characters: str) -> bytes:
    try:
        return characters.encode()
    except UnicodeEncodeError:
        raise ValueError("half of a character") from None

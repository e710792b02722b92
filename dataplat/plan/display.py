"""How wide text is on a terminal: a Chinese character takes two columns."""

import unicodedata


def display_width(text: str) -> int:
    """Return how many columns of a terminal a text takes.

    >>> display_width("ds"), display_width("北京")
    (2, 4)
    """
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)


def padded(text: str, width: int) -> str:
    """Return text with blanks behind it up to a width.

    >>> padded("北京", 5) + "|"
    '北京 |'
    """
    return text + " " * (width - display_width(text))

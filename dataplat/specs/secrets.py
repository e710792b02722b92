"""References to secrets, and the one place where a reference becomes a value.

A spec holds where a secret is found, never the secret: ``${NAME}`` is an environment variable,
``{secret: path}`` an entry of the secret store. So ``repr``, ``str``, a dump and a pickle of any spec can be
printed, logged and shown in Dagster. The value exists only between ``reveal`` and the driver it is handed to.

A password written into a file is refused, and the refusal does not repeat it.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema

from dataplat.errors import MissingSecretError

VARIABLE = re.compile(r"\$\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::-(?P<default>[^}]*))?\}")
_STORE_PATH = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]*(?:/[A-Za-z0-9_-][A-Za-z0-9_.-]*)*")
_REMEDY = "write ${NAME} for an environment variable or {secret: path} for the secret store"
_PASSWORD = re.compile(r"://[^/@\s]*?:(?P<url>[^@]*)@|[?&;](?:password|passwd|token)=(?P<option>[^&;]*)")
_KEPT, _SPELT_OUT = "\0", "\1"  # a reference, and one whose default is in the file

SECRET_SCHEMA: dict[str, Any] = {
    "anyOf": [
        {"type": "string", "pattern": r"\$\{[A-Za-z_][A-Za-z0-9_]*"},
        {
            "type": "object",
            "properties": {"secret": {"type": "string", "description": "Path in the secret store."}},
            "required": ["secret"],
            "additionalProperties": False,
        },
    ]
}


@dataclass(frozen=True)
class Reference:
    """Where one secret is found: a variable's name, or a path in the secret store."""

    name: str
    in_store: bool = False
    default: str | None = None

    def __str__(self) -> str:
        if self.in_store:
            return f"{{secret: {self.name}}}"
        return f"${{{self.name}}}" if self.default is None else f"${{{self.name}:-{self.default}}}"


class SecretResolver:
    """Finds the values of references in an environment and in a folder of secret files.

    ``${NAME}`` is searched in the variable ``NAME``, then in the file that ``NAME_FILE`` names.
    ``{secret: a/b}`` is searched in the variable ``DATAPLAT_SECRET_A_B``, then in the file ``a/b`` of the
    folder that ``DATAPLAT_SECRETS`` names, which is how containers mount secrets.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ

    def __repr__(self) -> str:
        return "SecretResolver(…)"

    def find(self, reference: Reference) -> str | None:
        """Return the value, or nothing if no place has it."""
        for _, value in self._places(reference):
            if value is not None:
                return value
        return reference.default

    def get(self, reference: Reference) -> str:
        """Return the value.

        Raises:
            MissingSecretError: If no place has it. The message lists every place searched.
        """
        value = self.find(reference)
        if value is None:
            places = [place for place, _ in self._places(reference)]
            raise MissingSecretError(
                str(reference),
                "the secret was not found",
                facts=[("searched", "\n".join(places))],
                effect="nothing was connected to",
                next_steps=[f"export {self._variable(reference)}=…"],
            )
        return value

    def _places(self, reference: Reference) -> Iterator[tuple[str, str | None]]:
        variable = self._variable(reference)
        yield f"environment variable {variable}", self._environ.get(variable)
        if not reference.in_store:
            file = self._environ.get(f"{variable}_FILE")
            yield f"file named by {variable}_FILE ({file or 'not set'})", _content(file)
            return
        folder = self._environ.get("DATAPLAT_SECRETS")
        file = f"{folder}/{reference.name}" if folder else None
        yield f"file {reference.name} in DATAPLAT_SECRETS ({folder or 'not set'})", _content(file)

    @staticmethod
    def _variable(reference: Reference) -> str:
        if not reference.in_store:
            return reference.name
        return "DATAPLAT_SECRET_" + re.sub(r"[^A-Za-z0-9]", "_", reference.name).upper()


def _content(file: str | None) -> str | None:
    try:
        return Path(file).read_text(encoding="utf-8").rstrip("\r\n") if file else None
    except (OSError, UnicodeDecodeError):
        return None


@dataclass(frozen=True, repr=False)
class SecretText:
    """A text with secrets in it, such as the URL of a database; ``parts`` are literals and references."""

    parts: tuple[str | Reference, ...]

    @classmethod
    def parse(cls, value: object) -> Self:
        """Read the text as written in YAML.

        Raises:
            ValueError: If it is no text or holds a literal password. The message never quotes it.
        """
        if isinstance(value, cls):
            return value
        if isinstance(value, dict):
            return cls((_store_reference(value),))
        if not isinstance(value, str) or not value.strip():
            raise ValueError(f"expected text; {_REMEDY}")
        shape = VARIABLE.sub(lambda match: _SPELT_OUT if match["default"] else _KEPT, value)
        if any((match["url"] or match["option"] or _KEPT) != _KEPT for match in _PASSWORD.finditer(shape)):
            raise ValueError("a password is not written into a file; write ${NAME} in its place in the URL")
        return cls(tuple(_split(value)))

    @property
    def references(self) -> tuple[Reference, ...]:
        return tuple(part for part in self.parts if isinstance(part, Reference))

    def reveal(self, resolver: SecretResolver) -> str:
        """Return the text with its secrets in place, for the driver and nobody else.

        A secret in the user or password of a URL is percent-encoded, so it may hold ``@`` or ``/``.

        Raises:
            MissingSecretError: If a secret is in none of the places searched.
        """
        text = ""
        for index, part in enumerate(self.parts):
            if isinstance(part, str):
                text += part
                continue
            rest = "".join(later for later in self.parts[index + 1 :] if isinstance(later, str))
            in_userinfo = "://" in text and "@" in rest and "/" not in rest.split("@")[0]
            value = resolver.get(part)
            text += quote(value, safe="") if in_userinfo else value
        return text

    def __str__(self) -> str:
        return "".join(str(part) for part in self.parts)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self})"

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            cls.parse, serialization=core_schema.plain_serializer_function_ser_schema(str)
        )

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {"anyOf": [{"type": "string"}, SECRET_SCHEMA["anyOf"][1]]}


@dataclass(frozen=True, repr=False)
class Secret(SecretText):
    """Exactly one reference, nothing around it: a password or a token."""

    @classmethod
    def parse(cls, value: object) -> Self:
        """Read ``${NAME}`` or ``{secret: path}``.

        Raises:
            ValueError: If it is anything else, above all the password itself, which is not quoted.
        """
        if isinstance(value, cls):
            return value
        if isinstance(value, dict):
            return cls((_store_reference(value),))
        match = VARIABLE.fullmatch(value) if isinstance(value, str) else None
        if not match:
            raise ValueError(f"a secret is not written into a file; {_REMEDY}")
        if match["default"]:
            raise ValueError(f"a secret's default is a secret in a file too; {_REMEDY}")
        return cls((Reference(match["name"], default=match["default"]),))

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return SECRET_SCHEMA


def _split(text: str) -> Iterator[str | Reference]:
    end = 0
    for match in VARIABLE.finditer(text):
        if match.start() > end:
            yield text[end : match.start()]
        yield Reference(match["name"], default=match["default"])
        end = match.end()
    if end < len(text):
        yield text[end:]


def _store_reference(value: dict[str, Any]) -> Reference:
    path = value.get("secret")
    if set(value) != {"secret"} or not isinstance(path, str) or not _STORE_PATH.fullmatch(path):
        raise ValueError("expected {secret: path} with a path of letters, digits, _ - . and /")
    return Reference(path, in_store=True)

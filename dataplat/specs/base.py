"""What all specs share: frozen, unknown keys refused, and each top-level one knows its file and lines."""

from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, PrivateAttr

from dataplat.specs.documents import NOWHERE, Declared


class Spec(BaseModel):
    """A part of the configuration. Frozen; a key that is not in it is a problem."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    def over(self, other: Self) -> Self:
        """Return ``other`` with everything that was written in this one in its place."""
        return other.model_copy(update={name: getattr(self, name) for name in self.model_fields_set})


class DeclaredSpec(Spec):
    """A spec that is a file of its own.

    ``secret_keys`` names the keys that take secrets, as ``password`` or ``tasks.password``: ``${NAME}`` in
    them is kept as a reference, and no message quotes what was written there. With ``template_variables``,
    ``${lower_case}`` is not of the environment and stays as it is: it is filled in later.
    """

    template_variables: ClassVar[bool] = False
    secret_keys: ClassVar[frozenset[str]] = frozenset()
    _declared: Declared = PrivateAttr(default_factory=lambda: NOWHERE)  # a default is deep-copied each time

    @property
    def declared(self) -> Declared:
        """The file that declares this, with the line of every key."""
        return self._declared

    def declared_in(self, declared: Declared, **defaults: Any) -> Self:
        """Return the spec as declared in a file, with ``defaults`` for what the file leaves open."""
        copy = self.model_copy(update=defaults)
        copy._declared = declared
        return copy

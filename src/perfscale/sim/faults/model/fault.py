"""A fault of any sort: which keys it takes is a matter of its kind."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import ClassVar, Self

from pydantic import model_validator

from perfscale.config.sections.fields import key_error
from perfscale.config.sections.section import Section


class Fault(Section):
    """A fault whose kind, ``fault``, decides which of the other keys it takes.

    Attributes:
        takes: The kinds that take each of the keys that not all take.
        needs: The keys that a kind cannot do without, any one of them.
    """

    takes: ClassVar[Mapping[str, Collection[str]]] = {}
    needs: ClassVar[Mapping[str, tuple[str, ...]]] = {}

    fault: str

    @model_validator(mode="after")
    def _keys_fit(self) -> Self:
        fields = type(self).model_fields
        for name in sorted(self.model_fields_set):
            kinds = self.takes.get(name)
            if kinds is not None and self.fault not in kinds:
                raise key_error(
                    fields[name].alias or name,
                    f"the fault {self.fault} does not take this key, only {' and '.join(kinds)}",
                )
        needed = self.needs.get(self.fault, ())
        if needed and not self.model_fields_set.intersection(needed):
            keys = " or ".join(fields[name].alias or name for name in needed)
            raise key_error("fault", f"the fault {self.fault} needs the key {keys}")
        return self

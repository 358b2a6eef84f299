"""What a /metrics page says, for tests."""

from __future__ import annotations

from dataclasses import dataclass

from prometheus_client.parser import text_string_to_metric_families


@dataclass(frozen=True)
class Page:
    """The samples of a page."""

    text: str

    def values(self, name: str, /, **labels: str) -> list[float]:
        """The values of the samples of a name that have these labels."""
        return [
            sample.value
            for family in text_string_to_metric_families(self.text)
            for sample in family.samples
            if sample.name == name and labels.items() <= sample.labels.items()
        ]

    def value(self, name: str, /, **labels: str) -> float:
        """Their sum; there must be one at least."""
        found = self.values(name, **labels)
        assert found, (name, labels)
        return sum(found)

"""Templates whose results are known: what Go and sprig themselves give for them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from perfscale.errors import TemplateError
from perfscale.templates.gotemplate import Settings, parse

KNOWN: dict[str, Any] = yaml.safe_load(
    Path(__file__).with_name("known_results.yaml").read_text(encoding="utf-8")
)
GROUPS = [group for group in KNOWN if group not in {"data", "refused"}]


@pytest.mark.parametrize("missing", ["error", "zero"])
@pytest.mark.parametrize("group", GROUPS)
def test_templates_give_what_go_gives(group: str, missing: Any) -> None:
    settings = Settings(missing)
    given = dict(KNOWN[group])
    found = {
        text: parse(text, file="t.yaml", settings=settings).render(KNOWN["data"]) for text in given
    }
    assert found == given


@pytest.mark.parametrize("text", KNOWN["refused"])
def test_what_go_refuses_is_refused_with_its_line(text: str) -> None:
    with pytest.raises(TemplateError) as caught:
        parse(f"\n{text}", file="t.yaml").render(KNOWN["data"])
    lines = text.count("\n") + 2
    assert all(problem.file == "t.yaml" for problem in caught.value.problems)
    assert all(2 <= (problem.line or 0) <= lines for problem in caught.value.problems)

"""``globalConfig.attribution``: a mapping, a number, or off."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from perfscale.config import Config, dump_config

WORKLOADS = [{"name": "a", "objects": [{"templateFile": "t.yaml"}]}]


def config(value: Any) -> Config:
    return Config.model_validate({"globalConfig": {"attribution": value}, "workloads": WORKLOADS})


@pytest.mark.parametrize(
    ("value", "objects"),
    [
        ("off", 0),
        (False, 0),
        (0, 0),
        (50, 50),
        ({"objects": 7}, 7),
        ({"after": "10s"}, 20),
        (None, 20),
    ],
)
def test_it_says_of_how_many_objects_in_several_forms(value: Any, objects: int) -> None:
    loaded = config(value)
    assert loaded.global_config.attribution.objects == objects
    assert f"objects: {objects}\n" in dump_config(loaded)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (-1, "a whole number from 0"),
        (201, "a whole number from 0"),
        (True, "off, a number of objects, or a mapping"),
        ("on", "off, a number of objects, or a mapping"),
        ({"objects": 1.5}, "a whole number"),
        ({"factor": -1}, "a number from 0"),
        ({"after": 5}, "has no unit"),
        ({"requestsPerSecond": "many"}, "a rate from 0"),
        ({"qps": 5}, "qps"),
    ],
)
def test_what_it_does_not_take_is_refused(value: Any, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        config(value)

import pytest

from perfscale.config import counted


@pytest.mark.parametrize(
    ("count", "noun", "told"),
    [
        (0, "object", "0 objects"),
        (1, "object", "1 object"),
        (2, "watch", "2 watches"),
        (3, "entry", "3 entries"),
    ],
)
def test_a_number_and_its_noun_agree(count: int, noun: str, told: str) -> None:
    assert counted(count, noun) == told

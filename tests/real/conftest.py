from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from moments import at_moment

__all__ = ["at_moment"]


@pytest.fixture
def thread() -> Iterator[ThreadPoolExecutor]:
    """For what is done to a server while a run goes on."""
    with ThreadPoolExecutor(1) as executor:
        yield executor

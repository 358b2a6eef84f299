from collections.abc import AsyncIterator

import pytest
from browser import CHROMIUM, Page, open_browser


@pytest.fixture
async def browser() -> AsyncIterator[Page]:
    """A browser with the network off; the test is left out where there is none."""
    if CHROMIUM is None:
        pytest.skip("chromium is not installed")
    async with open_browser() as page:
        yield page

import pytest
from tracker_story import Story


@pytest.fixture
def story() -> Story:
    return Story()

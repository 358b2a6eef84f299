"""What comes from elsewhere is shown on a page as it is, and changes nothing about it."""

from perfscale.results.comparison import Subject
from perfscale.results.pages.rendering import page_environment


def shown(value: object) -> str:
    return page_environment().from_string("<p>{{ value }}</p>").render(value=value)


def test_markup_is_escaped_and_what_turns_text_around_is_visible() -> None:
    assert shown("<b>a\u202eb") == "<p>&lt;b&gt;a\\u202eb</p>"


def test_the_text_of_an_object_is_shown_as_any_text() -> None:
    assert shown(Subject("<b>a\u202eb")) == "<p>&lt;b&gt;a\\u202eb</p>"


def test_numbers_are_shown_as_numbers() -> None:
    assert shown(12) == "<p>12</p>"

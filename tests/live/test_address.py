import pytest

from perfscale import UsageError
from perfscale.live import WebAddress, parse_web_address

TOKEN = "0123456789abcdef"  # noqa: S105 -- of no server
EVERYWHERE = "0.0.0.0"  # noqa: S104 -- it is refused, or has a token


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("", WebAddress("127.0.0.1", 0)),
        ("8080", WebAddress("127.0.0.1", 8080)),
        (":8080", WebAddress("127.0.0.1", 8080)),
        ("localhost:8080", WebAddress("localhost", 8080)),
        ("127.0.0.2:0", WebAddress("127.0.0.2", 0)),
        ("[::1]:8080", WebAddress("::1", 8080)),
    ],
)
def test_loopback_needs_no_token(text: str, address: WebAddress) -> None:
    assert parse_web_address(text) == address


@pytest.mark.parametrize("host", [EVERYWHERE, "192.0.2.1", "[::]", "perf.example.com"])
def test_an_address_that_others_reach_needs_a_token(host: str) -> None:
    with pytest.raises(UsageError, match="can be reached from elsewhere") as refused:
        parse_web_address(f"{host}:8080")
    assert "PERFSCALE_WEB_TOKEN" in (refused.value.hint or "")
    assert parse_web_address(f"{host}:8080", TOKEN).token == TOKEN


@pytest.mark.parametrize("text", ["here", "127.0.0.1", "127.0.0.1:70000", "::1:8080", "a b:1", ":"])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is no address"):
        parse_web_address(text)


def test_a_token_that_could_be_guessed_is_refused_without_being_repeated() -> None:
    with pytest.raises(UsageError, match="has 6 characters") as refused:
        parse_web_address(f"{EVERYWHERE}:8080", "secret")
    assert "secret" not in f"{refused.value} {refused.value.hint}"


def test_the_token_is_in_no_text_of_the_address() -> None:
    assert TOKEN not in repr(WebAddress(EVERYWHERE, 8080, TOKEN))

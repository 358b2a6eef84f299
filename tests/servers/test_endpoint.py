"""Secrets come from the environment or a file, and go nowhere but to Prometheus."""

from pathlib import Path

import pytest

from perfscale.audit.endpoint import VARIABLES
from perfscale.errors import ConfigError, UsageError
from perfscale.servers import Credentials, Endpoint, split_url

TOKEN = {"PERFSCALE_PROMETHEUS_TOKEN": "hush"}
USER = {"PERFSCALE_PROMETHEUS_USERNAME": "me", "PERFSCALE_PROMETHEUS_PASSWORD": "secret"}


def header(environment: dict[str, str], **files: Path | None) -> str | None:
    where = {"token_file": None, "password_file": None, **files}
    return VARIABLES.credentials(environment, **where).header()


def test_they_come_from_the_environment() -> None:
    assert header({}) is None
    assert header(TOKEN) == "Bearer hush"
    assert header(USER) == "Basic bWU6c2VjcmV0"


def test_they_come_from_files_before_the_environment(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("from-file\n")
    assert header({**TOKEN, **USER}, token_file=secret) == "Bearer from-file"
    assert header(USER, password_file=secret) == "Basic bWU6ZnJvbS1maWxl"


def test_a_name_and_a_token_together_are_refused() -> None:
    with pytest.raises(ConfigError, match="both set: unset one of them"):
        header({**TOKEN, **USER})


@pytest.mark.parametrize(
    ("content", "message"), [(b"", "no secret"), (b"\xff", "not text"), (b"a\nb", "line break")]
)
def test_a_file_without_a_usable_secret_is_refused(
    tmp_path: Path, content: bytes, message: str
) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(content)
    with pytest.raises(ConfigError, match=message):
        header({}, token_file=secret)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No such file"):
        header({}, token_file=tmp_path / "missing")
    with pytest.raises(ConfigError, match="set PERFSCALE_PROMETHEUS_USERNAME"):
        header({}, password_file=tmp_path / "missing")


def test_what_is_shown_of_an_endpoint_has_no_secret_in_it() -> None:
    endpoint = Endpoint("http://x", Credentials("me", "secret", "hush"))
    for text in (repr(endpoint), repr(endpoint.credentials), str(endpoint.credentials)):
        assert "secret" not in text
        assert "hush" not in text


@pytest.mark.parametrize(
    "url", ["", "prometheus:9090", "ftp://x", "http://", "http://x:port", "http://x?a=1", "//x"]
)
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(UsageError, match="URL"):
        split_url("Prometheus", url)

"""Whatever is wrong with a Prometheus is told clearly, and secrets are in no message."""

import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
import trustme
from patience import SILENCE_S
from scripted_prometheus import (
    ScriptedPrometheus,
    cannot,
    line,
    sample,
    scripted_prometheus,
    success,
)
from scripted_server import Exchange, FakeTime, answers, never_answers, resets, scripted_server

from perfscale.audit.prometheus import Prometheus
from perfscale.errors import ConfigError, PrometheusError, QueryError
from perfscale.servers import Credentials, Endpoint

NOW = datetime(2026, 1, 2, tzinfo=UTC)
NOBODY = Credentials()
TOKEN = Credentials(token="hush")  # noqa: S106 -- there is nothing behind it


@asynccontextmanager
async def opened(
    url: str,
    credentials: Credentials = NOBODY,
    *,
    verify_tls: bool = True,
    ca_file: Path | None = None,
    timeout_s: float = 20.0,
    proxy: str | None = None,
) -> AsyncIterator[Prometheus]:
    endpoint = Endpoint(url, credentials, verify_tls, ca_file, timeout_s, proxy)
    async with Prometheus(endpoint, pause=FakeTime().sleep) as prometheus:
        yield prometheus


async def failure(url: str, credentials: Credentials = NOBODY) -> PrometheusError:
    async with opened(url, credentials) as prometheus:
        with pytest.raises(PrometheusError) as caught:
            await prometheus.at("up", NOW)
    assert caught.value.exit_code == 4
    assert "hush" not in f"{caught.value} {caught.value.hint}"
    return caught.value


async def test_a_query_is_asked_for_its_moment(scripted: ScriptedPrometheus) -> None:
    scripted.gives("up", sample(1.5, job="a"), sample("NaN", job="b"))
    async with opened(scripted.url) as prometheus:
        first, second = await prometheus.at('up{x="+ &"}', NOW)
    assert (first.labels, first.points[0][1]) == ({"job": "a"}, 1.5)
    assert second.points[0][1] != second.points[0][1]
    (request,) = scripted.requests
    assert request.path == "/api/v1/query"
    assert request.query == {"query": 'up{x="+ &"}', "time": f"{NOW.timestamp():.3f}"}
    assert "authorization" not in request.headers


async def test_a_scalar_is_a_number_too(scripted: ScriptedPrometheus) -> None:
    document = {"status": "success", "data": {"resultType": "scalar", "result": [0, "7"]}}
    scripted.answers("vector", answers(document))
    async with opened(scripted.url) as prometheus:
        assert (await prometheus.at("scalar(vector(7))", NOW))[0].points == [(0.0, 7.0)]


async def test_credentials_are_sent(scripted: ScriptedPrometheus) -> None:
    async with opened(scripted.url, TOKEN) as prometheus:
        await prometheus.at("up", NOW)
    assert scripted.requests[0].headers["authorization"] == "Bearer hush"


async def test_a_prometheus_that_is_away() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
    assert f"{url} cannot be reached" in str(await failure(url))


@pytest.mark.parametrize("status", [401, 403])
async def test_credentials_that_are_refused(scripted: ScriptedPrometheus, status: int) -> None:
    scripted.answers("up", answers("no", status=status))
    error = await failure(scripted.url, TOKEN)
    assert f"refuses the credentials (status {status})" in str(error)
    assert "PERFSCALE_PROMETHEUS_TOKEN" in str(error.hint)
    assert len(scripted.requests) == 1
    assert "wants credentials" in str(await failure(scripted.url))


async def test_a_redirect_is_not_followed(scripted: ScriptedPrometheus) -> None:
    scripted.answers("up", answers("", status=302, headers={"Location": scripted.url}))
    assert "sends us elsewhere (302)" in str(await failure(scripted.url, TOKEN))
    assert len(scripted.requests) == 1


async def test_what_is_no_prometheus(scripted: ScriptedPrometheus) -> None:
    async def page(exchange: Exchange) -> None:
        await exchange.reply(404, b"<html>")

    scripted.answers("up", page)
    error = await failure(scripted.url)
    assert "does not answer as a Prometheus does (status 404)" in str(error)


async def test_a_certificate_that_nobody_has_signed(tmp_path: Path) -> None:
    authority = trustme.CA()
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(tls)
    ca_file = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(ca_file))
    async with scripted_prometheus(tls=tls) as scripted:
        error = await failure(scripted.url, TOKEN)
        assert "is not trusted: " in str(error)
        assert "--ca-file" in str(error.hint)
        assert scripted.requests == []
        async with opened(scripted.url, ca_file=ca_file) as prometheus:
            await prometheus.at("up", NOW)
        async with opened(scripted.url, verify_tls=False) as prometheus:
            await prometheus.at("up", NOW)
        assert len(scripted.requests) == 2


async def test_a_file_of_certificates_that_has_none(tmp_path: Path) -> None:
    ca_file = tmp_path / "ca.pem"
    ca_file.write_text("nothing")
    with pytest.raises(ConfigError, match="the certificates cannot be read"):
        async with opened("https://127.0.0.1:1", ca_file=ca_file):
            pass


async def test_a_query_that_prometheus_cannot_parse(scripted: ScriptedPrometheus) -> None:
    scripted.answers("up(", cannot('parse error: unclosed "("\x1b[31m'))
    async with opened(scripted.url) as prometheus:
        with pytest.raises(QueryError, match=r'parse error: unclosed "\("\\x1b\[31m \(bad_data\)'):
            await prometheus.at("up(", NOW)
    assert len(scripted.requests) == 1


async def test_a_text_is_no_result(scripted: ScriptedPrometheus) -> None:
    document = {"status": "success", "data": {"resultType": "string", "result": [0, "x"]}}
    scripted.answers("x", answers(document))
    async with opened(scripted.url) as prometheus:
        with pytest.raises(QueryError, match="gives a string, and no numbers"):
            await prometheus.at('"x"', NOW)


async def test_a_series_without_a_sample_is_no_series(scripted: ScriptedPrometheus) -> None:
    scripted.gives("up", line())
    async with opened(scripted.url) as prometheus:
        assert await prometheus.over("up", NOW, NOW, 1) == []


@pytest.mark.parametrize(
    "document",
    [
        {"resultType": "vector"},
        {"resultType": "vector", "result": None},
        {"resultType": "vector", "result": [{"metric": {}, "value": []}]},
        {"resultType": "vector", "result": [{"metric": [], "value": [0, "1"]}]},
        {"resultType": "vector", "result": [{"metric": {"a": 1}, "value": [0, "1"]}]},
        {"resultType": "matrix", "result": [{"metric": {}, "values": [[0, "x"]]}]},
        {},
        None,
        7,
    ],
)
async def test_an_answer_that_is_none(scripted: ScriptedPrometheus, document: object) -> None:
    scripted.answers("up", answers({"status": "success", "data": document}))
    async with opened(scripted.url) as prometheus:
        with pytest.raises(QueryError):
            await prometheus.at("up", NOW)


async def test_what_may_pass_is_tried_again(scripted: ScriptedPrometheus) -> None:
    scripted.server.will_from_now_on(
        answers("busy", status=503, headers={"Retry-After": "7"}),
        resets,
        answers(success(sample(1))),
    )
    time = FakeTime()
    async with Prometheus(Endpoint(scripted.url), pause=time.sleep) as prometheus:
        assert len(await prometheus.at("up", NOW)) == 1
    assert time.slept[0] == 7
    assert len(scripted.requests) == 3


async def test_what_does_not_pass_is_told_in_the_end(scripted: ScriptedPrometheus) -> None:
    scripted.answers("up", cannot("query timed out", kind="timeout", status=503))
    async with opened(scripted.url) as prometheus:
        with pytest.raises(QueryError, match="query timed out"):
            await prometheus.at("up", NOW)
    assert len(scripted.requests) == 3


async def test_an_answer_that_does_not_come(scripted: ScriptedPrometheus) -> None:
    scripted.answers("up", never_answers)
    async with opened(scripted.url, timeout_s=SILENCE_S) as prometheus:
        with pytest.raises(PrometheusError, match=r"no answer from .* within 1 s"):
            await prometheus.at("up", NOW)
    assert len(scripted.requests) == 3


async def test_queries_go_through_the_proxy(scripted: ScriptedPrometheus) -> None:
    scripted.gives("up", sample(1))
    async with opened("http://prometheus.example:9090", proxy=scripted.url) as prometheus:
        [found] = await prometheus.at("up", NOW)
    assert found.points[0][1] == 1
    [request] = scripted.requests
    assert request.target.startswith("http://prometheus.example:9090/api/v1/query?")


async def test_a_proxy_that_refuses_is_told_and_its_password_is_not() -> None:
    async with scripted_server(answers({}, status=407)) as proxy:
        url = proxy.url.replace("http://", "http://me:hush@")
        async with opened("https://prometheus.example", proxy=url) as prometheus:
            with pytest.raises(PrometheusError, match="the proxy refuses") as caught:
                await prometheus.at("up", NOW)
    assert "status 407" in str(caught.value)
    assert "hush" not in f"{caught.value} {caught.value.hint}"


async def test_a_proxy_that_is_not_there_is_told_and_its_password_is_not() -> None:
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        port = nobody.getsockname()[1]
    url = f"http://me:hush@127.0.0.1:{port}"
    async with opened("http://prometheus.example", proxy=url) as prometheus:
        with pytest.raises(PrometheusError, match=r"the proxy for .* cannot be reached") as caught:
            await prometheus.at("up", NOW)
    assert "connection refused" in str(caught.value)
    assert "hush" not in f"{caught.value} {caught.value.hint}"

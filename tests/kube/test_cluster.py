import base64
import json
import logging
import ssl
import stat
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import trustme
import yaml
from scripted_server import (
    Exchange,
    FakeTime,
    Handler,
    ScriptedServer,
    answers,
    refuses,
    scripted_server,
)
from socks_proxy import socks_proxy

from perfscale.errors import CredentialsError, UnreachableError, UsageError
from perfscale.kube.cluster import Cluster, ClusterOptions, open_cluster

AUTHORITY = trustme.CA()


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No kubeconfig and no proxy of whoever runs the tests; temporary files where we see them."""
    for name in ("KUBECONFIG", "KUBERNETES_SERVICE_HOST", "HTTPS_PROXY", "https_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))


def server_tls(name: str = "127.0.0.1", *, client_certificates: bool = False) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    AUTHORITY.issue_cert(name).configure_cert(context)
    if client_certificates:
        AUTHORITY.configure_trust(context)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def embedded(data: bytes) -> str:
    return base64.b64encode(data).decode()


CA_DATA = embedded(AUTHORITY.cert_pem.bytes())


def write_kubeconfig(
    folder: Path, where: ScriptedServer | str, user: dict[str, Any], **cluster: object
) -> str:
    url = where if isinstance(where, str) else where.url
    path = folder / "config"
    document = {
        "current-context": "lab",
        "contexts": [{"name": "lab", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": {"server": url, **cluster}}],
        "users": [{"name": "u", "user": user}],
    }
    path.write_text(yaml.safe_dump(document))
    return str(path)


def write_plugin(folder: Path, script: str) -> str:
    path = folder / "plugin"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IEXEC)
    return str(path)


def plugin_user(command: str) -> dict[str, Any]:
    return {
        "exec": {
            "apiVersion": "client.authentication.k8s.io/v1",
            "command": command,
            "args": ["a", "1"],
            "env": [{"name": "WHO", "value": "me"}],
        }
    }


def credential(**status: str | list[str]) -> str:
    return json.dumps(
        {
            "apiVersion": "client.authentication.k8s.io/v1",
            "kind": "ExecCredential",
            "status": status,
        }
    )


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


async def authorization_at(cluster: Cluster, server: ScriptedServer) -> str | None:
    await cluster.client.request("GET", "/version")
    return server.requests[-1].headers.get("authorization")


@pytest.mark.parametrize(
    ("user", "expected"),
    [
        ({}, None),
        ({"token": "t"}, "Bearer t"),
        ({"username": "me", "password": "pw"}, f"Basic {embedded(b'me:pw')}"),
    ],
    ids=["nobody", "token", "password"],
)
async def test_whoever_the_kubeconfig_names_is_who_we_are(
    tmp_path: Path, user: dict[str, Any], expected: str | None
) -> None:
    async with scripted_server(answers({})) as server:
        options = ClusterOptions(kubeconfig=write_kubeconfig(tmp_path, server, user))
        async with await open_cluster(options) as cluster:
            assert await authorization_at(cluster, server) == expected
            assert (cluster.context, cluster.server) == ("lab", server.url)
            assert not cluster.insecure


async def test_a_token_that_would_begin_another_header_is_refused(tmp_path: Path) -> None:
    config = write_kubeconfig(tmp_path, "http://c", {"token": "secret\r\nX-Remote-User: admin"})
    with pytest.raises(CredentialsError, match="characters that cannot be sent") as caught:
        await open_cluster(ClusterOptions(kubeconfig=config))
    assert "secret" not in f"{caught.value} {caught.value.hint}"


async def test_a_master_alone_is_enough(tmp_path: Path) -> None:
    async with (
        scripted_server(answers({})) as server,
        await open_cluster(ClusterOptions(master=server.url.removeprefix("http://"))) as cluster,
    ):
        assert await authorization_at(cluster, server) is None
        assert (cluster.context, cluster.server) == (None, server.url)
    assert not (tmp_path / ".kube").exists()


async def test_the_servers_path_is_kept(tmp_path: Path) -> None:
    async with scripted_server(answers({})) as server:
        config = write_kubeconfig(tmp_path, f"{server.url}/k8s/clusters/c-1/", {})
        async with await open_cluster(ClusterOptions(kubeconfig=config)) as cluster:
            await cluster.client.request("GET", "/version")
    assert server.requests[0].path == "/k8s/clusters/c-1/version"


async def test_a_server_of_the_kubeconfigs_own_authority_is_trusted(tmp_path: Path) -> None:
    async with scripted_server(answers({}), tls=server_tls()) as server:
        config = write_kubeconfig(
            tmp_path, server, {"token": "t"}, **{"certificate-authority-data": CA_DATA}
        )
        async with await open_cluster(ClusterOptions(kubeconfig=config)) as cluster:
            assert await authorization_at(cluster, server) == "Bearer t"


async def test_a_server_that_is_not_trusted_is_refused_at_once(tmp_path: Path) -> None:
    async with scripted_server(answers({}), tls=server_tls()) as server:
        config = write_kubeconfig(tmp_path, server, {"token": "t"})
        async with await open_cluster(ClusterOptions(kubeconfig=config)) as cluster:
            with pytest.raises(UnreachableError, match="certificate could not be verified") as it:
                await cluster.client.request("GET", "/version")
    assert "certificate-authority" in (it.value.hint or "")
    assert server.requests == []


async def test_verification_can_be_switched_off_but_not_silently(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with scripted_server(answers({}), tls=server_tls("other.example")) as server:
        config = write_kubeconfig(tmp_path, server, {}, **{"insecure-skip-tls-verify": True})
        with caplog.at_level(logging.WARNING):
            async with await open_cluster(ClusterOptions(kubeconfig=config)) as cluster:
                await cluster.client.request("GET", "/version")
                assert cluster.insecure
    assert "is not verified" in caplog.text


async def test_a_certificate_for_another_name_is_accepted_where_the_kubeconfig_gives_that_name(
    tmp_path: Path,
) -> None:
    async with scripted_server(answers({}), tls=server_tls("other.example")) as server:
        trusted = {"certificate-authority-data": CA_DATA}
        config = write_kubeconfig(
            tmp_path, server, {}, **trusted, **{"tls-server-name": "other.example"}
        )
        async with await open_cluster(ClusterOptions(kubeconfig=config)) as cluster:
            await cluster.client.request("GET", "/version")


def client_certificate() -> tuple[bytes, bytes]:
    issued = AUTHORITY.issue_cert("me@example.com")
    return issued.cert_chain_pems[0].bytes(), issued.private_key_pem.bytes()


async def test_a_client_certificate_is_shown_and_no_file_of_it_is_left(tmp_path: Path) -> None:
    certificate, key = client_certificate()
    user = {"client-certificate-data": embedded(certificate), "client-key-data": embedded(key)}
    async with scripted_server(answers({}), tls=server_tls(client_certificates=True)) as server:
        config = write_kubeconfig(tmp_path, server, user, **{"certificate-authority-data": CA_DATA})
        before = open_files()
        for _ in range(2):
            async with await open_cluster(ClusterOptions(kubeconfig=config)) as cluster:
                assert list((tmp_path / "tmp").iterdir()) == []
                assert open_files() == before
                await cluster.client.request("GET", "/version")


async def test_a_plugins_client_certificate_is_shown(tmp_path: Path) -> None:
    certificate, key = client_certificate()
    given = credential(clientCertificateData=certificate.decode(), clientKeyData=key.decode())
    (tmp_path / "given").write_text(given)
    user = plugin_user(write_plugin(tmp_path, f"cat {tmp_path / 'given'}"))
    async with scripted_server(answers({}), tls=server_tls(client_certificates=True)) as server:
        config = write_kubeconfig(tmp_path, server, user, **{"certificate-authority-data": CA_DATA})
        async with await open_cluster(ClusterOptions(kubeconfig=config)) as cluster:
            await cluster.client.request("GET", "/version")
    assert list((tmp_path / "tmp").iterdir()) == []


def counting_plugin(folder: Path, *, lifetime: timedelta | None = None) -> str:
    """Gives out the tokens t-1, t-2 and so on, each with the environment it was run in."""
    expiry = {}
    if lifetime is not None:
        expiry["expirationTimestamp"] = (datetime.now(UTC) + lifetime).strftime(
            "%Y-%m-%dT%H:%M:%SZ"
        )
    told = "$WHO-$1$2-$n"
    given = credential(token=told, **expiry).replace('"', '\\"')
    return write_plugin(
        folder,
        f'n=$(($(cat {folder}/count 2>/dev/null) + 1)); echo $n > {folder}/count; echo "{given}"',
    )


def accepts_only(token: str) -> Handler:
    async def handler(exchange: Exchange) -> None:
        accepted = exchange.request.headers.get("authorization") == f"Bearer {token}"
        await (answers({}) if accepted else refuses(401, "Unauthorized"))(exchange)

    return handler


async def test_a_plugin_is_run_again_when_its_token_is_refused(tmp_path: Path) -> None:
    user = plugin_user(counting_plugin(tmp_path))
    async with scripted_server(accepts_only("me-a1-2")) as server:
        options = ClusterOptions(kubeconfig=write_kubeconfig(tmp_path, server, user))
        async with await open_cluster(options) as cluster:
            assert await authorization_at(cluster, server) == "Bearer me-a1-2"
    assert len(server.requests) == 2


async def test_a_plugin_is_run_again_before_its_token_runs_out(
    tmp_path: Path, fake_time: FakeTime
) -> None:
    user = plugin_user(counting_plugin(tmp_path, lifetime=timedelta(hours=1)))
    async with scripted_server(answers({})) as server:
        options = ClusterOptions(kubeconfig=write_kubeconfig(tmp_path, server, user))
        async with await open_cluster(options, clock=fake_time.clock) as cluster:
            assert await authorization_at(cluster, server) == "Bearer me-a1-1"
            fake_time.now += 1800
            assert await authorization_at(cluster, server) == "Bearer me-a1-1"
            fake_time.now += 1790
            assert await authorization_at(cluster, server) == "Bearer me-a1-2"


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("echo 'please log in' >&2; exit 3", "plugin failed: .*returned 3.* please log in"),
        ("echo no json", "plugin failed: .*decode"),
        (f"echo '{credential()}'", "neither a token nor a certificate"),
        (f"echo '{credential(token=['hunter2'])}'", "gave out a token that is no text"),
    ],
    ids=["fails", "babbles", "gives nothing", "gives a list"],
)
async def test_a_plugin_that_fails_is_quoted(tmp_path: Path, script: str, message: str) -> None:
    config = write_kubeconfig(tmp_path, "http://c", plugin_user(write_plugin(tmp_path, script)))
    with pytest.raises(CredentialsError, match=message):
        await open_cluster(ClusterOptions(kubeconfig=config))


async def test_a_plugin_that_is_not_installed_is_named(tmp_path: Path) -> None:
    user = plugin_user("no-such-plugin")
    user["exec"]["installHint"] = "get it from the shop"
    config = write_kubeconfig(tmp_path, "http://c", user)
    with pytest.raises(CredentialsError, match="cannot run the exec plugin no-such-plugin") as it:
        await open_cluster(ClusterOptions(kubeconfig=config))
    assert it.value.hint == "get it from the shop"


def asking_plugin(folder: Path) -> str:
    """Writes down what it is told of the cluster."""
    given = credential(token="t")  # noqa: S106 -- a made-up one
    return write_plugin(folder, f"printenv KUBERNETES_EXEC_INFO > {folder}/told; echo '{given}'")


async def test_a_plugin_is_told_of_the_cluster_where_it_wants_to_know(tmp_path: Path) -> None:
    user = plugin_user(asking_plugin(tmp_path))
    cluster = {
        "certificate-authority-data": CA_DATA,
        "tls-server-name": "api",
        "extensions": [
            {"name": "client.authentication.k8s.io/exec", "extension": {"audience": "lab"}},
            {"name": "other", "extension": {}},
        ],
    }
    for wants in (True, False):
        user["exec"]["provideClusterInfo"] = wants
        config = write_kubeconfig(tmp_path, "https://api.example:6443", user, **cluster)
        async with await open_cluster(ClusterOptions(kubeconfig=config)):
            pass
        told = json.loads((tmp_path / "told").read_text())
        assert told["kind"] == "ExecCredential"
        assert told["spec"].get("cluster") == (
            {
                "server": "https://api.example:6443",
                "certificate-authority-data": CA_DATA,
                "tls-server-name": "api",
                "config": {"audience": "lab"},
            }
            if wants
            else None
        )


async def test_a_plugin_is_told_of_an_authority_that_is_in_a_file(tmp_path: Path) -> None:
    AUTHORITY.cert_pem.write_to_path(str(tmp_path / "ca.crt"))
    user = plugin_user(asking_plugin(tmp_path))
    user["exec"]["provideClusterInfo"] = True
    config = write_kubeconfig(tmp_path, "https://c", user, **{"certificate-authority": "ca.crt"})
    async with await open_cluster(ClusterOptions(kubeconfig=config)):
        pass
    told = json.loads((tmp_path / "told").read_text())
    assert told["spec"]["cluster"]["certificate-authority-data"] == CA_DATA


@pytest.mark.parametrize(
    "wrong",
    [{"env": [{"name": "VERSION", "value": 1.2}]}, {"args": [1.2]}],
    ids=["environment", "argument"],
)
async def test_a_plugins_number_is_to_be_quoted_as_for_kubectl(
    tmp_path: Path, wrong: dict[str, Any]
) -> None:
    user = plugin_user(write_plugin(tmp_path, "exit 1"))
    user["exec"] |= wrong
    config = write_kubeconfig(tmp_path, "http://c", user)
    with pytest.raises(UsageError, match=r"should be text, not 1\.2") as caught:
        await open_cluster(ClusterOptions(kubeconfig=config))
    assert caught.value.hint == "write it in quotes"


@pytest.mark.parametrize(
    "written", [{"token": "t"}, {"tokenFile": "token"}], ids=["token", "token file"]
)
async def test_a_token_that_is_written_down_comes_before_a_plugin(
    tmp_path: Path, written: dict[str, Any]
) -> None:
    (tmp_path / "token").write_text("t")
    user = plugin_user(write_plugin(tmp_path, "exit 1")) | written
    async with scripted_server(answers({})) as server:
        options = ClusterOptions(kubeconfig=write_kubeconfig(tmp_path, server, user))
        async with await open_cluster(options) as cluster:
            assert await authorization_at(cluster, server) == "Bearer t"


IMPERSONATING = {
    "token": "t",
    "as": "jane",
    "as-uid": "42",
    "as-groups": ["dev", "ops"],
    "as-user-extra": {"acme.com/scope": ["view", "edit"]},
}


@pytest.mark.parametrize("proxied", [False, True], ids=["straight", "through a proxy"])
async def test_every_request_is_somebody_elses_where_the_kubeconfig_impersonates(
    tmp_path: Path, proxied: bool
) -> None:
    async with scripted_server(answers({})) as server:
        where = "http://api.example" if proxied else server
        proxy = {"proxy-url": server.url} if proxied else {}
        config = write_kubeconfig(tmp_path, where, IMPERSONATING, **proxy)
        async with await open_cluster(ClusterOptions(kubeconfig=config)) as cluster:
            await cluster.client.request("POST", "/api/v1/pods", body=b"{}")
            await cluster.client.request("GET", "/version")
    for request in server.requests:
        assert request.headers["authorization"] == "Bearer t"
        sent = [(name, value) for name, value in request.fields if name.startswith("impersonate")]
        assert sent == [
            ("impersonate-user", "jane"),
            ("impersonate-uid", "42"),
            ("impersonate-group", "dev"),
            ("impersonate-group", "ops"),
            ("impersonate-extra-acme.com%2fscope", "view"),
            ("impersonate-extra-acme.com%2fscope", "edit"),
        ]


async def test_a_token_file_is_read_again_every_minute_and_when_refused(
    tmp_path: Path, fake_time: FakeTime
) -> None:
    token = tmp_path / "token"
    token.write_text("one\n")
    async with scripted_server(answers({}), answers({}), accepts_only("three")) as server:
        options = ClusterOptions(
            kubeconfig=write_kubeconfig(tmp_path, server, {"tokenFile": "token"})
        )
        async with await open_cluster(options, clock=fake_time.clock) as cluster:
            assert await authorization_at(cluster, server) == "Bearer one"
            token.write_text("two")
            fake_time.now += 61
            assert await authorization_at(cluster, server) == "Bearer two"
            token.write_text("three")
            assert await authorization_at(cluster, server) == "Bearer three"
            token.unlink()
            fake_time.now += 61
            assert await authorization_at(cluster, server) == "Bearer three"


def jwt(lifetime: timedelta, serial: int) -> str:
    claims = {"exp": int((datetime.now(UTC) + lifetime).timestamp()), "serial": serial}
    return f"e30.{base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip('=')}.x"


async def test_an_expired_token_of_an_identity_provider_is_refreshed(tmp_path: Path) -> None:
    fresh = jwt(timedelta(hours=1), 2)

    async def provider(exchange: Exchange) -> None:
        if exchange.request.method == "POST":
            await exchange.reply_json(200, {"id_token": fresh, "refresh_token": "r2"})
        else:
            await exchange.reply_json(200, {"token_endpoint": f"{idp.url}/token"})

    def user(provider: ScriptedServer, **more: str) -> dict[str, Any]:
        config = {
            "client-id": "c",
            "client-secret": "s",
            "idp-issuer-url": provider.url,
            "id-token": jwt(timedelta(hours=-1), 1),
            "refresh-token": "r1",
        }
        return {"auth-provider": {"name": "oidc", "config": config | more}}

    async with (
        scripted_server(provider, tls=server_tls()) as idp,
        scripted_server(accepts_only(fresh)) as server,
    ):
        trusted = {"idp-certificate-authority-data": CA_DATA}
        config = write_kubeconfig(tmp_path, server, user(idp, **trusted))
        async with await open_cluster(ClusterOptions(kubeconfig=config)) as cluster:
            assert await authorization_at(cluster, server) == f"Bearer {fresh}"
        assert b"refresh_token=r1" in idp.requests[1].body
        assert idp.requests[1].headers["authorization"] == f"Basic {embedded(b'c:s')}"

        config = write_kubeconfig(tmp_path, server, user(idp))
        with pytest.raises(CredentialsError, match="cannot be used: ClientConnectorCertificate"):
            await open_cluster(ClusterOptions(kubeconfig=config))


async def test_a_proxy_of_the_kubeconfig_is_used_with_its_password_and_without_telling_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with scripted_server(answers({})) as proxy:
        url = f"http://me:hunter2@127.0.0.1:{proxy.port}"
        config = write_kubeconfig(tmp_path, "http://api.example", {}, **{"proxy-url": url})
        async with await open_cluster(ClusterOptions(kubeconfig=config)) as cluster:
            await cluster.client.request("GET", "/version")
    (request,) = proxy.requests
    assert request.target == "http://api.example/version"
    assert request.headers["proxy-authorization"] == f"Basic {embedded(b'me:hunter2')}"
    assert "hunter2" not in caplog.text


async def test_a_proxy_that_refuses_is_told_apart_from_the_server(tmp_path: Path) -> None:
    async with scripted_server(answers({}, status=407)) as proxy:
        config = write_kubeconfig(tmp_path, "https://api.example", {}, **{"proxy-url": proxy.url})
        async with await open_cluster(ClusterOptions(kubeconfig=config)) as cluster:
            with pytest.raises(UnreachableError, match=r"the proxy refused .* 407"):
                await cluster.client.request("GET", "/version")
    assert proxy.requests[0].method == "CONNECT"


async def test_a_socks_proxy_makes_the_connections_and_looks_up_the_name(tmp_path: Path) -> None:
    async with (
        scripted_server(answers({}), tls=server_tls("api.example")) as server,
        socks_proxy(server.port) as proxy,
    ):
        url = f"socks5://me:hunter2@127.0.0.1:{proxy.port}"
        trusted = {"certificate-authority-data": CA_DATA, "proxy-url": url}
        config = write_kubeconfig(tmp_path, "https://api.example:6443", {"token": "t"}, **trusted)
        async with await open_cluster(ClusterOptions(kubeconfig=config)) as cluster:
            assert await authorization_at(cluster, server) == "Bearer t"
    assert proxy.asked == [("me", "hunter2", "api.example", 6443)]


async def test_a_socks_proxy_that_refuses_or_is_not_there_is_told_apart_from_the_server(
    tmp_path: Path,
) -> None:
    async with socks_proxy(None) as proxy:
        url = f"socks5://me:hunter2@127.0.0.1:{proxy.port}"
        config = write_kubeconfig(tmp_path, "http://api.example", {}, **{"proxy-url": url})
        async with await open_cluster(ClusterOptions(kubeconfig=config)) as cluster:
            with pytest.raises(UnreachableError, match="the proxy refused the connection") as one:
                await cluster.client.request("GET", "/version")
    async with await open_cluster(ClusterOptions(kubeconfig=config)) as cluster:
        with pytest.raises(UnreachableError, match="the proxy: connection refused") as other:
            await cluster.client.request("GET", "/version")
    assert "hunter2" not in f"{one.value}{one.value.hint}{other.value}{other.value.hint}"


WRONG: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "authority is not base64": ({}, {"certificate-authority-data": "%%%"}, "is not base64"),
    "authority is not there": ({}, {"certificate-authority": "ca.crt"}, "no such file: .*ca.crt"),
    "authority is junk": ({}, {"certificate-authority-data": "anVuaw=="}, "cannot be used"),
    "token file is not there": ({"tokenFile": "tok"}, {}, "cannot read .*tok: No such file"),
    "proxy is for files": ({}, {"proxy-url": "ftp://p"}, "http://, https://, socks5://"),
    "groups of nobody": ({"as-groups": ["g"]}, {}, "as-groups of the user needs a user"),
    "groups are no list": ({"as": "me", "as-groups": "g"}, {}, "as-groups .* should be a list"),
    "impersonated is a number": ({"as": 7}, {}, "as of the user should be text, not 7"),
    "impersonated is two lines": ({"as": "a\r\nb: c"}, {}, "Impersonate-User has characters"),
    "server is not http": ({}, {"server": "ftp://x"}, "not an http:// or https:// URL"),
    "server is missing": ({}, {"server": ""}, "has no server"),
    "server has a query": ({}, {"server": "https://x/?key=pw"}, r"has no \? and no # in it"),
    "server has a fragment": ({}, {"server": "https://x/#pw"}, r"has no \? and no # in it"),
    "server has a password": ({}, {"server": "https://me:pw@x"}, "holds credentials"),
}


@pytest.mark.parametrize(("user", "cluster", "message"), WRONG.values(), ids=WRONG)
async def test_what_cannot_be_used_is_refused(
    tmp_path: Path, user: dict[str, Any], cluster: dict[str, Any], message: str
) -> None:
    config = write_kubeconfig(tmp_path, "https://c", user, **cluster)
    with pytest.raises(UsageError, match=message) as caught:
        await open_cluster(ClusterOptions(kubeconfig=config))
    assert "pw" not in str(caught.value)

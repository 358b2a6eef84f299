import pytest
from yarl import URL

from perfscale.config.proxies import proxy_for
from perfscale.errors import UsageError

SERVER = URL("https://api.example.com:6443")
PROXY = "http://proxy:3128"


def test_the_kubeconfigs_proxy_comes_first() -> None:
    environ = {"HTTPS_PROXY": PROXY, "NO_PROXY": "*"}
    assert proxy_for(SERVER, "http://mine:1", environ) == "http://mine:1"


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy"])
def test_the_environments_proxy_is_used(name: str) -> None:
    assert proxy_for(SERVER, None, {name: "proxy:3128"}) == PROXY
    assert proxy_for(URL("http://api.example.com"), None, {name: PROXY}) is None


@pytest.mark.parametrize("server", ["https://localhost:1", "https://127.0.0.9:1", "https://[::1]"])
def test_the_environments_proxy_is_not_for_loopback(server: str) -> None:
    assert proxy_for(URL(server), None, {"HTTPS_PROXY": PROXY}) is None


@pytest.mark.parametrize(
    ("server", "rule", "direct"),
    [
        ("https://api.example.com", "example.com", True),
        ("https://api.example.com", "other, .example.com", True),
        ("https://example.com", ".example.com", False),
        ("https://api.example.com", "*.example.com", True),
        ("https://notexample.com", "example.com", False),
        ("https://api.example.com:6443", "api.example.com:6443", True),
        ("https://api.example.com:6443", "api.example.com:443", False),
        ("https://10.1.2.3", "10.0.0.0/8", True),
        ("https://10.1.2.3", "192.168.0.0/16,junk/8", False),
        ("https://10.1.2.3", "10.1.2.3", True),
        ("https://[fd00::5]:6443", "[fd00::5]:6443", True),
        ("https://[fd00::5]", "fd00::/8", True),
        ("https://anything", "*", True),
        ("https://API.Example.Com", "EXAMPLE.com", True),
    ],
)
def test_no_proxy_is_read_as_go_does(server: str, rule: str, direct: bool) -> None:
    environ = {"HTTPS_PROXY": PROXY, "no_proxy": rule}
    assert (proxy_for(URL(server), None, environ) is None) is direct


def test_a_proxy_that_cannot_be_used_is_refused_without_its_password() -> None:
    with pytest.raises(UsageError, match=r"one of http://, https://$") as caught:
        proxy_for(SERVER, "socks5://me:secret@proxy:1080", {})
    assert "secret" not in str(caught.value)


def test_a_socks_proxy_is_used_by_whoever_can_on_its_own_port() -> None:
    environ = {"HTTPS_PROXY": "socks5://proxy"}
    assert proxy_for(SERVER, None, environ, socks=True) == "socks5://proxy:1080"
    assert proxy_for(SERVER, "socks5h://other:99", environ, socks=True) == "socks5h://other:99"

import errno
import ssl

from perfscale.kube.http.failures import lost, unconnected


def test_a_certificate_that_the_server_refuses_after_the_handshake_is_told() -> None:
    refused = ssl.SSLError(1, "[SSL: TLSV13_ALERT_CERTIFICATE_REQUIRED] certificate required")
    refused.reason = "TLSV13_ALERT_CERTIFICATE_REQUIRED"
    failure = lost(refused)
    assert failure.text == "the TLS handshake failed: TLSV13_ALERT_CERTIFICATE_REQUIRED"
    assert "client certificates" in (failure.hint or "")
    assert not failure.connecting


def test_an_error_of_the_system_is_told_in_its_words() -> None:
    assert lost(ConnectionResetError(errno.ECONNRESET, "whatever")).text == "connection reset"
    failure = unconnected(OSError(errno.EHOSTUNREACH, "No route to host"))
    assert (failure.text, failure.connecting) == ("no route to host", True)


def test_a_limit_of_this_machine_is_told_apart_from_a_server_that_is_not_there() -> None:
    failure = unconnected(OSError(errno.EMFILE, "Too many open files"))
    assert failure.local
    assert "as many files and connections open as it may" in failure.text
    assert "ulimit -n" in (failure.hint or "")
    assert not unconnected(OSError(errno.ECONNREFUSED, "Connection refused")).local

"""Servers that answer nothing of use: what the commands say of them, and how they end."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from command_line import CommandLine

PAGES = {
    "a balancer without a server": (503, b"<html>no server</html>", "503 Service Unavailable"),
    "a bad gateway": (502, b"bad gateway", "502 Bad Gateway"),
    "a page to sign in at": (200, b"<!DOCTYPE html>", "not what an API server sends"),
    "nothing": (200, b"", "not what an API server sends"),
    "null": (200, b"null", "not what an API server sends"),
    "nesting": (200, b'{"a":' * 50_000 + b"1" + b"}" * 50_000, "not what an API server sends"),
}


@contextmanager
def answering(status: int, body: bytes) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


def write_kubeconfig(path: Path, server: str) -> None:
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "a", "cluster": {"server": server}}],
        "users": [{"name": "a", "user": {"token": "secret"}}],
        "contexts": [{"name": "a", "context": {"cluster": "a", "user": "a"}}],
        "current-context": "a",
    }
    path.write_text(json.dumps(config), encoding="utf-8")


@pytest.mark.parametrize("page", PAGES)
def test_a_run_on_a_server_that_answers_nothing_of_use_ends_as_one_without_a_server(
    page: str, perfscale: CommandLine
) -> None:
    status, body, text = PAGES[page]
    with answering(status, body) as server:
        write_kubeconfig(perfscale.folder / "kubeconfig", server)
        bounds = ("--kubeconfig", "kubeconfig", "--max-unavailable", "1s")
        ended = perfscale("run", "--yes", *bounds)
    assert ended.code == 4
    assert text in ended.err
    assert server in ended.err or "GET /" in ended.err
    assert "bug" not in ended.err


def test_answers_that_were_none_are_told_in_the_end(perfscale: CommandLine) -> None:
    fault = "requests: [{fault: garbage, body: html, verbs: [create], skip: 3, times: 2}]"
    (perfscale.folder / "faults.yaml").write_text(fault)
    command = ("run", "--simulate", "--speed", "50", "--faults", "faults.yaml", "--replicas", "3")
    ended = perfscale(*command)
    assert ended.code == 0, ended.err
    assert "2 answers of status 2xx could not be read" in ended.out

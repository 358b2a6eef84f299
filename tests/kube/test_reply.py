import gzip
from collections.abc import Iterable

import pytest

from perfscale.kube.http.failures import NoAnswerError
from perfscale.kube.http.reply import Reply
from perfscale.kube.http.transport import LONGEST_LINE

PLAIN = b"HTTP/1.1 201 Created\r\nContent-Length: 8\r\nDATE: today\r\n\r\n{'a': 1}"
CHUNKED = (
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nDate: today\r\n\r\n"
    b"3;name=value\r\n{'a\r\n5\r\n': 1}\r\n0\r\nDate: tomorrow\r\nX-Sum: 1\r\n\r\n"
)
INTERIM = b"HTTP/1.1 100 Continue\r\nDate: yesterday\r\n\r\n"
PACKED = gzip.compress(b"{'a': 1}")
ZIPPED = (
    b"HTTP/1.1 200 OK\r\nDate: today\r\nContent-Encoding: gzip\r\n"
    b"Content-Length: %d\r\n\r\n%s" % (len(PACKED), PACKED)
)
ANSWERS = {
    "plain": PLAIN,
    "chunked": CHUNKED,
    "after an interim answer": INTERIM + PLAIN,
    "gzip": ZIPPED,
}


def fed(pieces: Iterable[bytes], reply: Reply | None = None) -> Reply:
    reply = reply or Reply()
    reply.begin()
    for piece in pieces:
        reply.feed(piece)
    return reply


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
def test_an_answer_may_be_cut_anywhere(answer: bytes) -> None:
    reply = Reply()
    for cut in range(1, len(answer)):
        fed([answer[:cut], answer[cut:]], reply)
        assert reply.complete
        assert reply.reusable
        assert reply.status in {200, 201}
        assert reply.headers["Date"] == "today"
        assert reply.take() == b"{'a': 1}"


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
def test_an_answer_may_come_byte_by_byte_and_be_taken_as_it_comes(answer: bytes) -> None:
    reply, taken = Reply(), b""
    for byte in answer:
        assert not reply.complete
        reply.feed(bytes([byte]))
        taken += reply.take()
    assert reply.complete
    assert taken == b"{'a': 1}"


def zipped(content: bytes) -> bytes:
    packed = gzip.compress(content)
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n"
    return head % len(packed) + packed


def test_an_answer_may_be_as_large_as_its_bound() -> None:
    reply = Reply()
    reply.begin(100_000)
    reply.feed(zipped(b" " * 100_000))
    assert reply.take() == b" " * 100_000


def test_an_answer_that_is_larger_when_it_is_decompressed_is_not_decompressed() -> None:
    reply = Reply()
    reply.begin(100_000)
    reply.feed(zipped(b" " * 10_000_000))
    with pytest.raises(NoAnswerError, match="larger than") as caught:
        reply.take()
    assert caught.value.failure.illegible


def test_an_answer_that_goes_on_and_on_is_not_kept() -> None:
    reply = Reply()
    reply.begin(100_000)
    reply.feed(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    part = b"1000\r\n" + b" " * 4096 + b"\r\n"
    for _ in range(20):
        reply.feed(part)
    with pytest.raises(NoAnswerError, match="larger than"):
        reply.feed(part * 10)


def test_no_part_of_a_stream_is_larger_than_a_line() -> None:
    reply = fed([zipped(b" " * (LONGEST_LINE + 1))])
    with pytest.raises(NoAnswerError, match="larger than"):
        reply.take()


def test_header_fields_are_found_in_any_case_and_listed() -> None:
    headers = fed([PLAIN]).headers
    assert headers["content-length"] == headers.get("Content-Length") == "8"
    assert headers.get("Retry-After") is None
    assert dict(headers) == {"content-length": "8", "date": "today"}
    assert len(headers) == 2


def test_every_warning_is_kept() -> None:
    head = b'HTTP/1.1 204 No\r\nWarning: 299 - "one"\r\nDate: today\r\nwarning:299 - "two"\r\n\r\n'
    assert fed([head]).warning == '299 - "one", 299 - "two"'
    pieces = [bytes([byte]) for byte in head]
    assert fed(pieces).warning == '299 - "two"'
    assert fed([PLAIN], fed([head])).warning == ""


def test_the_header_of_one_answer_is_not_in_the_next() -> None:
    reply = fed([CHUNKED])
    fed([b"HTTP/1.1 204 No Content\r\n\r\n"], reply)
    assert (reply.status, reply.complete, dict(reply.headers)) == (204, True, {})


@pytest.mark.parametrize("surplus", [PLAIN, b"H", b"\x15\x03"], ids=["whole", "begun", "garbage"])
def test_what_comes_after_the_answer_leaves_it_alone_and_the_connection_useless(
    surplus: bytes,
) -> None:
    reply = fed([PLAIN + surplus])
    assert (reply.complete, reply.reusable) == (True, False)
    assert (reply.status, reply.take()) == (201, b"{'a': 1}")


@pytest.mark.parametrize(
    "answer",
    [
        PLAIN.replace(b"DATE: today", b"Connection: close"),
        PLAIN.replace(b"HTTP/1.1", b"HTTP/1.0"),
    ],
    ids=["said", "HTTP/1.0"],
)
def test_a_connection_that_the_server_is_about_to_close_is_not_used_again(answer: bytes) -> None:
    reply = fed([answer])
    assert (reply.complete, reply.reusable) == (True, False)


def test_an_answer_of_no_length_ends_with_the_connection() -> None:
    reply = fed([b"HTTP/1.1 200 OK\r\n\r\n{'a'", b": 1}"])
    assert not reply.complete
    reply.feed_eof()
    assert (reply.complete, reply.reusable, reply.take()) == (True, False, b"{'a': 1}")


@pytest.mark.parametrize("cut", [PLAIN[:-1], CHUNKED[:-1], PLAIN[:30], INTERIM, b""])
def test_an_answer_that_is_cut_short_is_not_complete(cut: bytes) -> None:
    reply = fed([cut] if cut else [])
    reply.feed_eof()
    assert not reply.complete


@pytest.mark.parametrize(
    "garbage",
    [
        b"SSH-2.0-OpenSSH\r\n",
        b"\x15\x03\x03\x00\x02\x02\x46",
        b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
        CHUNKED.replace(b"3;", b"zz"),
        PLAIN.replace(b"DATE", b"Transfer-Encoding: chunked\r\nDATE"),
    ],
    ids=["another protocol", "TLS", "upgrade", "chunk size", "two lengths"],
)
def test_what_is_not_http_is_said_to_be_that(garbage: bytes) -> None:
    with pytest.raises(NoAnswerError, match="not HTTP"):
        fed([garbage])


def test_a_head_that_does_not_end_is_not_read_for_ever() -> None:
    def head() -> Iterable[bytes]:
        yield b"HTTP/1.1 200 OK\r\nX-Long: "
        while True:
            yield b"x" * 1024

    with pytest.raises(NoAnswerError, match="not HTTP"):
        fed(head())


def test_a_long_line_is_read() -> None:
    assert fed([PLAIN.replace(b"today", b"y" * 60_000)]).headers["Date"] == "y" * 60_000


@pytest.mark.parametrize("packed", [PACKED[:-1], b"plain text"], ids=["cut short", "not gzip"])
def test_a_body_that_cannot_be_unpacked_is_no_answer(packed: bytes) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n"
    reply = fed([head % len(packed) + packed])
    with pytest.raises(NoAnswerError, match="in the middle of the answer"):
        reply.take()

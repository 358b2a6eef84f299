"""What comes in on an HTTP/1.1 connection, taken apart by llhttp, without any I/O.

llhttp hands header fields and pieces of the body to methods of containers, with
no Python in between.
"""

from __future__ import annotations

import math
import re
import zlib
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Final

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from perfscale.kube.http.failures import BROKEN_OFF, GARBLED, NoAnswerError, larger_than
from perfscale.kube.http.transport import LONGEST_LINE

_LONGEST_HEAD: Final = 1 << 18
"""Bytes that may come without a head being complete; llhttp has no bound."""
_WARNINGS: Final = re.compile(rb"^warning:[ \t]*(.+?)[ \t]*\r?$", re.IGNORECASE | re.MULTILINE)
_GZIP: Final = zlib.MAX_WBITS | 16


class _UnaskedError(Exception):
    """An answer to no request. Ends the parser's work, and is seen by nobody."""


class Headers(Mapping[str, str]):
    """Header fields, looked up in any case. Of a field that comes twice, the last.

    Args:
        fields: Values by name, the names in lower case.
    """

    __slots__ = ("_fields",)

    def __init__(self, fields: dict[bytes, bytes]) -> None:
        self._fields = fields

    def __getitem__(self, name: str) -> str:
        return self._fields[name.lower().encode()].decode("latin-1")

    def __iter__(self) -> Iterator[str]:
        return (name.decode("latin-1") for name in self._fields)

    def __len__(self) -> int:
        return len(self._fields)


_NO_HEADERS: Final = Headers({})


@lru_cache(maxsize=64)
def _lowered(names: tuple[bytes, ...]) -> tuple[bytes, ...]:
    """The names of header fields in lower case; a server sends nearly always the same ones."""
    return tuple(name.lower() for name in names)


class Reply:
    """The answers on one connection, one after the other.

    Attributes:
        status: HTTP status; 0 until the head of the answer is there.
        headers: Its header fields, by then.
        warning: What its ``Warning`` fields say, all of them; mostly nothing.
        complete: Whether all of the answer is there.
        reusable: Whether another request may follow on the connection.
    """

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._fields: dict[bytes, bytes] = {}
        self.on_header = self._fields.__setitem__
        self.on_body = self._parts.append
        self._parser = HttpResponseParser(self)
        self.begin()

    def begin(self, most_bytes: float = math.inf) -> None:
        """A request was sent: the next answer is what it gets.

        ``most_bytes`` bounds the whole answer, as it comes and decompressed. An answer that
        is taken as it comes needs no bound of its own: no part may be larger than a line.
        """
        self._most_bytes = most_bytes
        self._size = 0
        self.status = 0
        self._data = b""
        self.warning = ""
        self.headers = _NO_HEADERS
        self.complete = self.reusable = False
        self._head_size = 0
        self._ends_with_connection = False
        self._unzip: zlib._Decompress | None = None
        if self._parts or self._fields:  # of a stream that was not read to its end, and trailers
            self._parts.clear()
            self._fields.clear()

    def feed(self, data: bytes) -> None:
        """Take what has come.

        Raises:
            NoAnswerError: It is not HTTP, or larger than it may be.
        """
        self._data = data
        self._size += len(data)
        if self._size > self._most_bytes:
            raise NoAnswerError(larger_than(self._most_bytes))
        try:
            self._parser.feed_data(data)
        except (HttpParserError, HttpParserUpgrade) as error:
            if not self.complete:
                raise NoAnswerError(GARBLED) from error
            self.reusable = False  # what came after the answer is the answer to nothing
        if not self.status:
            self._head_size += len(data)
            if self._head_size > _LONGEST_HEAD:
                raise NoAnswerError(GARBLED)

    def feed_eof(self) -> None:
        """The server has closed the connection, which ends an answer of no stated length."""
        self.complete = self.complete or (self.status > 0 and self._ends_with_connection)

    def take(self) -> bytes:
        """The body as far as it has come, decompressed, without what was taken before.

        Raises:
            NoAnswerError: It is not compressed as its header says, or becomes larger than
                it may be.
        """
        data = b"".join(self._parts)
        self._parts.clear()
        if self._unzip is None:
            return data
        try:
            most = LONGEST_LINE if self._most_bytes == math.inf else int(self._most_bytes)
            data = self._unzip.decompress(data, most)
        except zlib.error as error:
            raise NoAnswerError(BROKEN_OFF) from error
        if self._unzip.unconsumed_tail:
            raise NoAnswerError(larger_than(most))
        if self.complete and not self._unzip.eof:
            raise NoAnswerError(BROKEN_OFF)
        return data

    # -- llhttp's -----------------------------------------------------------

    def on_message_begin(self) -> None:
        """The first byte of an answer."""
        if self.complete:
            raise _UnaskedError

    def on_headers_complete(self) -> None:
        """The head is there; trailers do not count."""
        received = self._fields
        fields = dict(zip(_lowered(tuple(received)), received.values(), strict=True))
        received.clear()
        status = self._parser.get_status_code()
        if status < 200:
            return  # only the answer before the answer
        if b"warning" in fields:
            # llhttp gives one after the other, and a dict keeps the last.
            head = self._data.partition(b"\r\n\r\n")[0]
            found = _WARNINGS.findall(head) or [fields[b"warning"]]
            self.warning = b", ".join(found).decode("latin-1")
        self.status = status
        self.headers = Headers(fields)
        self._ends_with_connection = not (
            b"content-length" in fields or b"transfer-encoding" in fields
        )
        if b"content-encoding" in fields and fields[b"content-encoding"].lower() == b"gzip":
            self._unzip = zlib.decompressobj(_GZIP)

    def on_message_complete(self) -> None:
        """The last byte of an answer."""
        if self.status:
            self.complete = True
            self.reusable = self._parser.should_keep_alive()

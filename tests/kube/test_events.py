import itertools
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perfscale.kube.status import Status
from perfscale.kube.watching import events
from perfscale.kube.watching.events import Bookmark, EventDecoder, LineBuffer, ObjectEvent

LINES = st.lists(st.binary(max_size=30).filter(lambda line: b"\n" not in line), max_size=20)


@given(LINES, st.lists(st.integers(0, 600), max_size=30))
def test_lines_come_out_whole_however_they_are_cut(lines: list[bytes], cuts: list[int]) -> None:
    text = b"".join(line + b"\n" for line in lines) + b"rest"
    places = sorted({0, len(text), *(cut for cut in cuts if cut < len(text))})
    buffer = LineBuffer()
    complete = b""
    for begin, end in itertools.pairwise(places):
        fed = buffer.feed(text[begin:end])
        assert fed == b"" or fed.endswith(b"\n")
        complete += fed
    assert complete == text.removesuffix(b"rest")


def test_a_line_without_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "LONGEST_LINE", 1000)
    buffer = LineBuffer()
    for _ in range(10):
        buffer.feed(b"x" * 100)
    with pytest.raises(ValueError, match="more than 1000 bytes"):
        buffer.feed(b"x")


def test_events_of_every_type_come_out_in_order() -> None:
    documents = [
        {"type": "ADDED", "object": {"metadata": {"resourceVersion": "1"}}},
        {"object": {"kind": "X", "metadata": {"resourceVersion": "2"}}, "type": "BOOKMARK"},
        {"type": "DELETED", "object": {"metadata": {"resourceVersion": "3"}}},
        {"type": "ERROR", "object": {"kind": "Status", "code": 410, "reason": "Expired"}},
    ]
    decoder = EventDecoder(dict)
    decoded = decoder.decode(b"".join(json.dumps(item).encode() + b"\n" for item in documents))
    assert decoded == [
        ObjectEvent("ADDED", {"metadata": {"resourceVersion": "1"}}),
        Bookmark("2"),
        ObjectEvent("DELETED", {"metadata": {"resourceVersion": "3"}}),
        Status(kind="Status", code=410, reason="Expired"),
    ]
    assert [decoder.version(event) for event in decoded] == ["1", "2", "3", None]

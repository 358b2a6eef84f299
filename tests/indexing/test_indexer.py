"""Documents go to a search engine: all of them, once, and with a reason for each that did not."""

import json
import ssl
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import trustme
from scripted_server import FakeTime, answers, resets, scripted_server
from search_engine import SearchEngine, search_engine

from perfscale.errors import IndexingError
from perfscale.indexing import Indexer, IndexPlan, check_name
from perfscale.indexing.batches import Limits, as_line, batched
from perfscale.servers import Credentials, Endpoint

NAME = "kube-burner"
NOBODY = Credentials()
WELCOME = {"version": {"number": "8.17.0"}}


def documents(count: int, **more: Any) -> list[dict[str, Any]]:
    return [
        {"metricName": "podLatencyMeasurement", "value": number, **more} for number in range(count)
    ]


@asynccontextmanager
async def indexing(
    url: str, time: FakeTime | None = None, *, credentials: Credentials = NOBODY, **plan: Any
) -> AsyncIterator[Indexer]:
    endpoint = Endpoint(url, credentials, timeout_s=5.0)
    fake = time or FakeTime()
    planned = IndexPlan(endpoint=endpoint, name=NAME, **plan)
    async with Indexer(planned, pause=fake.sleep, clock=fake.clock) as indexer:
        yield indexer


@pytest.fixture
async def engine() -> AsyncIterator[SearchEngine]:
    async with search_engine() as started:
        yield started


async def test_every_document_is_there_once_under_a_hash_of_itself(engine: SearchEngine) -> None:
    sent = documents(2500)
    async with indexing(engine.url, most_documents=1000) as indexer:
        tally = await indexer.send(sent)
    assert (tally.created, tally.updated, tally.failed, tally.retries) == (2500, 0, 0, 0)
    assert list(engine.documents.values()) == sent
    assert [count for _, count in engine.bodies] == [1000, 1000, 500]
    assert {len(identity) for identity in engine.documents} == {64}


async def test_documents_that_are_sent_again_are_no_others(engine: SearchEngine) -> None:
    async with indexing(engine.url) as indexer:
        await indexer.send(documents(3))
    async with indexing(engine.url) as indexer:
        tally = await indexer.send([dict(reversed(each.items())) for each in documents(4)])
    assert len(engine.documents) == 4
    assert str(tally) == "4 documents indexed (1 new, 3 there before)"


async def test_requests_are_no_larger_than_they_may_be(engine: SearchEngine) -> None:
    async with indexing(engine.url, most_bytes=2000) as indexer:
        await indexer.send(documents(50, text="x" * 100))
        await indexer.send(documents(1, text="y" * 5000))
    *small, large = (size for size, _ in engine.bodies)
    assert max(small) <= 2000
    assert large > 5000
    assert len(engine.documents) == 51


async def test_requests_can_be_compressed(engine: SearchEngine) -> None:
    async with indexing(engine.url, compress=True) as indexer:
        await indexer.send(documents(100))
    assert len(engine.documents) == 100
    assert engine.headers[-1]["Content-Encoding"] == "gzip"
    assert int(engine.headers[-1]["Content-Length"]) < engine.bodies[0][0] / 3


async def test_nothing_is_sent_where_there_are_no_documents(engine: SearchEngine) -> None:
    async with indexing(engine.url) as indexer:
        tally = await indexer.send([])
    assert engine.headers == []
    assert str(tally) == "0 documents indexed"


@pytest.mark.parametrize("status", [429, 502, 503, 504])
async def test_a_server_that_is_busy_is_left_alone_for_longer_and_longer(
    engine: SearchEngine, status: int
) -> None:
    engine.statuses.extend([status] * 4)
    time = FakeTime()
    async with indexing(engine.url, time) as indexer:
        tally = await indexer.send(documents(10))
    assert (len(engine.documents), tally.retries) == (10, 4)
    for doublings, slept_s in enumerate(time.slept):
        assert 0.25 * 2**doublings <= slept_s <= 0.75 * 2**doublings


async def test_a_server_that_says_how_long_it_is_busy_is_left_alone_for_so_long(
    engine: SearchEngine,
) -> None:
    engine.statuses.append(429)
    engine.retry_after = "7"
    time = FakeTime()
    async with indexing(engine.url, time) as indexer:
        await indexer.send(documents(1))
    assert time.slept == [7.0]


async def test_a_server_that_is_busy_for_too_long_ends_it(engine: SearchEngine) -> None:
    engine.statuses.extend([503] * 1000)
    time = FakeTime()
    async with indexing(engine.url, time, retry_s=60.0) as indexer:
        with pytest.raises(IndexingError, match=r"too busy for longer than 60 s \(status 503\)"):
            await indexer.send(documents(10))
    assert sum(time.slept) <= 60.0
    assert indexer.tally.created == 0


async def test_a_connection_that_breaks_is_made_again() -> None:
    items = {"items": [{"index": {"status": 201, "result": "created"}}]}
    async with scripted_server(resets, answers(items)) as server, indexing(server.url) as indexer:
        tally = await indexer.send(documents(1))
    assert (tally.created, len(server.requests)) == (1, 2)


@pytest.mark.parametrize(
    ("broken", "why"), [(resets, "cannot be reached"), (answers({}, status=503), "is too busy")]
)
async def test_that_requests_are_sent_again_is_said_once(broken: Any, why: str) -> None:
    said: list[str] = []
    done = answers({"items": [{"index": {"status": 201, "result": "created"}}]})
    time = FakeTime()
    async with scripted_server(broken, broken, done) as server:
        plan = IndexPlan(endpoint=Endpoint(server.url, NOBODY, timeout_s=5.0), name=NAME)
        async with Indexer(
            plan, pause=time.sleep, clock=time.clock, retrying=said.append
        ) as indexer:
            tally = await indexer.send(documents(1))
    assert (tally.created, tally.retries) == (1, 2)
    (reason,) = said
    assert f"{server.url} {why}" in reason


async def test_only_what_the_server_was_too_busy_for_is_sent_again(engine: SearchEngine) -> None:
    sent = documents(10)
    engine.busy_once = {as_line(NAME, sent[number]).id for number in (2, 5)}
    async with indexing(engine.url) as indexer:
        tally = await indexer.send(sent)
    assert [count for _, count in engine.bodies] == [10, 2]
    assert (tally.created, tally.updated, tally.failed, tally.retries) == (10, 0, 0, 1)


async def test_documents_that_are_refused_are_counted_by_their_reasons(
    engine: SearchEngine,
) -> None:
    engine.refuses = lambda each: "failed to parse [value]" if each["value"] % 4 == 0 else None
    async with indexing(engine.url, most_documents=3) as indexer:
        tally = await indexer.send(documents(10))
    assert (tally.created, tally.failed) == (7, 3)
    assert str(tally) == "7 documents indexed, 3 refused"
    assert tally.describe_failures() == [
        "3 documents refused: mapper_parsing_exception: failed to parse [value]"
    ]


async def test_reasons_without_end_are_counted_together(engine: SearchEngine) -> None:
    engine.refuses = lambda each: f"{each['value']} is wrong"
    async with indexing(engine.url) as indexer:
        tally = await indexer.send(documents(500))
    assert tally.failed == 500
    assert len(tally.describe_failures()) == 21
    assert tally.describe_failures()[0] == "480 documents refused: other reasons"


async def test_what_is_too_large_goes_in_halves_and_so_does_what_follows(
    engine: SearchEngine,
) -> None:
    engine.most_bytes = 3000
    async with indexing(engine.url, most_documents=100) as indexer:
        tally = await indexer.send(documents(400, text="x" * 50))
    assert (tally.created, tally.failed) == (400, 0)
    assert max(size for size, _ in engine.bodies) <= 3000
    refused = len(engine.headers) - len(engine.bodies)
    assert refused <= 10  # those of the first batch alone


async def test_a_document_that_alone_is_too_large_is_refused_and_no_other(
    engine: SearchEngine,
) -> None:
    engine.most_bytes = 3000
    sent = [*documents(5), {"text": "x" * 4000}, *documents(5, second=True)]
    async with indexing(engine.url) as indexer:
        tally = await indexer.send(sent)
    assert (tally.created, tally.failed) == (10, 1)
    assert "larger than the server takes" in tally.describe_failures()[0]


@pytest.mark.parametrize("status", [401, 403])
async def test_credentials_that_are_refused_end_it_at_once(status: int) -> None:
    error = {"error": {"type": "security_exception", "reason": "no permissions for [indices:data]"}}
    async with scripted_server(answers(error, status=status)) as server:
        async with indexing(server.url, credentials=Credentials("me", "secret")) as indexer:
            with pytest.raises(IndexingError) as caught:
                await indexer.send(documents(1))
        assert len(server.requests) == 1
    assert "refuses the credentials" in str(caught.value)
    assert "no permissions for" in str(caught.value)
    assert "PERFSCALE_INDEX_PASSWORD" in str(caught.value.hint)


@pytest.mark.parametrize(
    "answer",
    [
        answers({"acknowledged": True}),
        answers({"items": [{"index": {"status": 201}}] * 3}),
        answers([1, 2]),
        answers({"error": "incorrect HTTP method"}, status=405),
        answers({}, status=302, headers={"Location": "http://127.0.0.1:9/"}),
    ],
)
async def test_a_server_that_is_no_search_engine_ends_it(answer: Any) -> None:
    async with scripted_server(answer) as server, indexing(server.url) as indexer:
        with pytest.raises(IndexingError) as caught:
            await indexer.send(documents(2))
        assert "what stands before /_bulk" in str(caught.value.hint)
        assert len(server.requests) == 1


async def test_it_is_found_out_before_whether_the_server_is_there(engine: SearchEngine) -> None:
    async with indexing(engine.url) as indexer:
        await indexer.check()
    async with scripted_server(answers(WELCOME)) as elastic, indexing(elastic.url) as indexer:
        await indexer.check()
    async with (
        scripted_server(answers({}, status=403)) as guarded,
        indexing(guarded.url) as indexer,
    ):
        await indexer.check()  # it may be allowed to write all the same
    async with scripted_server(answers({})) as other, indexing(other.url) as indexer:
        with pytest.raises(IndexingError, match="does not answer as OpenSearch or Elasticsearch"):
            await indexer.check()
    async with indexing("http://127.0.0.1:9") as indexer:
        with pytest.raises(IndexingError, match=r"127\.0\.0\.1:9 cannot be reached"):
            await indexer.check()
    engine.authorization = "Basic x"
    async with indexing(engine.url) as indexer:
        with pytest.raises(IndexingError, match="wants credentials"):
            await indexer.check()


async def test_a_certificate_has_to_be_of_an_authority_that_is_trusted(tmp_path: Path) -> None:
    authority = trustme.CA()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    trusted = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(trusted)
    async with scripted_server(answers(WELCOME), tls=context) as server:
        async with indexing(server.url) as indexer:
            with pytest.raises(IndexingError, match="is not trusted") as caught:
                await indexer.check()
        assert "PERFSCALE_INDEX_CA_FILE" in str(caught.value.hint)
        for more in ({"ca_file": trusted}, {"verify_tls": False}):
            plan = IndexPlan(endpoint=Endpoint(server.url, **more), name=NAME)
            async with Indexer(plan) as indexer:
                await indexer.check()


async def test_a_hundred_thousand_documents_are_never_in_memory_together(
    engine: SearchEngine,
) -> None:
    made = 0

    def many() -> Iterator[dict[str, Any]]:
        nonlocal made
        for number in range(100_000):
            made += 1
            yield {"metricName": "podLatencyMeasurement", "value": number}

    ahead: list[int] = []
    engine.refuses = counting(lambda taken: ahead.append(made - taken))
    async with indexing(engine.url) as indexer:
        tally = await indexer.send(many())
    assert (tally.created, len(engine.documents)) == (100_000, 100_000)
    # What was made and not sent is at most a batch, and the document that begins the next.
    assert max(ahead) <= indexer.plan.most_documents + 1
    assert max(size for size, _ in engine.bodies) <= indexer.plan.most_bytes


def counting(taken: Callable[[int], None]) -> Callable[[dict[str, Any]], None]:
    count = 0

    def refuses(_: dict[str, Any]) -> None:
        nonlocal count
        taken(count)
        count += 1

    return refuses


def test_a_batch_ends_where_the_next_document_would_not_fit() -> None:
    lines = [as_line(NAME, each) for each in documents(10)]
    size = len(lines[0].data)
    assert [len(batch) for batch in batched(lines, Limits(most_bytes=3 * size))] == [3, 3, 3, 1]
    assert [len(batch) for batch in batched(lines, Limits(most_documents=4))] == [4, 4, 2]
    assert list(batched([], Limits())) == []


def test_the_lines_of_a_document_are_its_action_and_itself() -> None:
    line = as_line("index", {"b": "\n", "a": 1})
    action, document, rest = line.data.split(b"\n")
    assert json.loads(action) == {"index": {"_index": "index", "_id": line.id}}
    assert document == b'{"a":1,"b":"\\n"}'
    assert rest == b""


@pytest.mark.parametrize("name", ["kube-burner", "ripsaw_kube.burner-2026", "é"])
def test_a_name_of_an_index_is_taken(name: str) -> None:
    assert check_name(name) is None


@pytest.mark.parametrize("name", ["", "..", "Kube", "_x", "-x", "a b", "a/b", "a:b", "x" * 256])
def test_a_name_that_no_index_can_have_is_refused(name: str) -> None:
    assert check_name(name)

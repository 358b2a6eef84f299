"""A run that was killed keeps what its journal tells of blind spans and outages."""

from pathlib import Path

from journals import begins, killed_run

from perfscale.results import BlindEntry, BlindSpan, OutageEntry, OutageRecord, rebuild_results
from perfscale.results.model.interruptions import Cause


def test_a_killed_run_keeps_its_blind_spans_and_outages(tmp_path: Path) -> None:
    def span(ended_s: float | None) -> BlindSpan:
        return BlindSpan(Cause.WATCH, "ConfigMap", None, 1.0, ended_s)

    outages = [OutageRecord(1.0, ended_s, "server", "", 5, 2) for ended_s in (2.0, 3.0)]
    folder = killed_run(
        tmp_path / "density-20260102T030405Z-1234",
        [
            *begins(),
            BlindEntry(0, span(None)),
            OutageEntry(outages[0]),
            OutageEntry(outages[1]),
            BlindEntry(0, span(4.0)),
            BlindEntry(1, BlindSpan(Cause.WATCH, "Namespace", None, 6.0)),
        ],
    )
    result = rebuild_results(folder).result
    assert result.outages == (outages[1],)
    cut_off = BlindSpan(Cause.WATCH, "Namespace", None, 6.0, 6.0)
    assert result.blind_spans == (span(4.0), cut_off)


def test_no_blind_span_lasts_longer_than_the_run(tmp_path: Path) -> None:
    # A watch counts as catching up for a second after it was opened again.
    span = BlindSpan(Cause.WATCH, "ConfigMap", None, 0.4, 1.6)
    folder = killed_run(
        tmp_path / "density-20260102T030405Z-1234", [*begins(), BlindEntry(0, span)]
    )
    result = rebuild_results(folder).result
    (cut,) = result.blind_spans
    assert (cut.began_s, cut.ended_s) == (0.4, result.duration_s)

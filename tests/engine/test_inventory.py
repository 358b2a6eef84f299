from perfscale.config.labels import RUN_LABEL, run_labels
from perfscale.engine.removal.inventory import Finding, Share
from perfscale.engine.tracking.readiness import Metadata

X = "00000000-0000-4000-8000-00000000000a"
Y = "00000000-0000-4000-8000-00000000000b"


def metadata(name: str, run_id: str, created: str, **more: object) -> Metadata:
    known = {"labels": run_labels(run_id, "density", 1), "creation_timestamp": created, **more}
    return Metadata(name, f"uid-{name}", "ns", "1", **known)  # type: ignore[arg-type]


def test_objects_are_counted_by_run_with_the_first_and_the_last_of_each() -> None:
    finding = Finding()
    for name, run_id, second in (("a", X, 5), ("b", X, 3), ("c", Y, 4), ("d", X, 9)):
        finding.add(metadata(name, run_id, f"2026-01-01T00:00:0{second}Z"))
    assert finding.count == 4
    assert finding.namespaces == {"ns"}
    assert finding.runs == {
        X: Share(3, "2026-01-01T00:00:03Z", "2026-01-01T00:00:09Z"),
        Y: Share(1, "2026-01-01T00:00:04Z", "2026-01-01T00:00:04Z"),
    }


def test_a_finalizer_holds_only_what_is_being_deleted() -> None:
    finding = Finding()
    held = {"finalizers": ["example.org/hold"]}
    finding.add(metadata("a", X, "2026-01-01T00:00:05Z", **held))
    asked = {"deletion_timestamp": "2026-01-01T00:00:09Z"}
    finding.add(metadata("b", X, "2026-01-01T00:00:05Z", **held, **asked))
    assert finding.holders == {(): 1, ("example.org/hold",): 1}


def test_what_only_carries_the_same_label_is_no_runs() -> None:
    finding = Finding()
    finding.add(metadata("a", "production", "2026-01-01T00:00:05Z"))
    finding.add(metadata("b", X, "2026-01-01T00:00:05Z", labels={RUN_LABEL: X}))
    finding.add(metadata("c", X, "2026-01-01T00:00:05Z"))
    assert list(finding.runs) == [X]
    assert finding.runs[X].count == 1
    assert finding.others == {"production": 1, X: 1}

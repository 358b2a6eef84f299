from perfscale.config.labels import run_labels
from perfscale.engine.readiness import Metadata
from perfscale.engine.survey import Finding, Share


def metadata(name: str, run_id: str, created: str, **more: object) -> Metadata:
    known = {"labels": run_labels(run_id, "density", 1), "creation_timestamp": created, **more}
    return Metadata(name, f"uid-{name}", "ns", "1", **known)  # type: ignore[arg-type]


def test_objects_are_counted_by_run_with_the_first_and_the_last_of_each() -> None:
    finding = Finding()
    for name, run_id, second in (("a", "x", 5), ("b", "x", 3), ("c", "y", 4), ("d", "x", 9)):
        finding.add(metadata(name, run_id, f"2026-01-01T00:00:0{second}Z"))
    assert finding.count == 4
    assert finding.namespaces == {"ns"}
    assert finding.runs == {
        "x": Share(3, "2026-01-01T00:00:03Z", "2026-01-01T00:00:09Z"),
        "y": Share(1, "2026-01-01T00:00:04Z", "2026-01-01T00:00:04Z"),
    }


def test_a_finalizer_holds_only_what_was_asked_to_go() -> None:
    finding = Finding()
    held = {"finalizers": ["example.org/hold"]}
    finding.add(metadata("a", "x", "2026-01-01T00:00:05Z", **held))
    asked = {"deletion_timestamp": "2026-01-01T00:00:09Z"}
    finding.add(metadata("b", "x", "2026-01-01T00:00:05Z", **held, **asked))
    assert finding.holders == {(): 1, ("example.org/hold",): 1}

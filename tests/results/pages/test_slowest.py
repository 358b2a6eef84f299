from lives import record

from perfscale.results.pages.slowest import slow


def test_the_way_to_readiness_is_told_without_a_gap() -> None:
    found = slow(
        record(
            sent_s=10.0,
            created_s=10.5,
            phases_s={"Pending": 11.0, "Running": 14.0, "Succeeded": 20.0},
            ready_s=15.0,
        )
    )
    assert found.ready_after_s == 5.0
    assert found.stays == (
        ("create request", 0.0, 0.5), ("created", 0.5, 1.0), ("Pending", 1.0, 4.0),
        ("Running", 4.0, 5.0),
    )  # fmt: skip

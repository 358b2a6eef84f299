from perfscale.results.measure.blindness import BlindSpans
from perfscale.results.model.interruptions import BlindSpan, Cause, OutageRecord
from perfscale.results.verdicts.interruptions import interruptions


def test_an_outage_is_told_with_what_it_held_up() -> None:
    outage = OutageRecord(12.34, 15.5, "server", "", retries=14, creates=5)
    blind = [
        BlindSpan(Cause.WATCH, kind, None, 12.3, 15.9) for kind in ("Pod", "VirtualMachineInstance")
    ]
    unseen, gone = interruptions([outage], blind)
    assert unseen == (
        "nothing was seen of Pod, VirtualMachineInstance from 12.3 s to 15.9 s after the start "
        "(3.6s)"
    )
    assert gone == (
        "the API server was gone from 12.3 s to 15.5 s after the start (3.2s): "
        "14 requests sent again, 5 creates waiting at most, 2 watches down"
    )


def test_a_webhook_is_told_by_its_name() -> None:
    outage = OutageRecord(1.0, 7.0, "webhook", "vmi-validator.kubevirt.io", retries=1)
    (text,) = interruptions([outage], [])
    assert text == (
        "the webhook vmi-validator.kubevirt.io was gone from 1.0 s to 7.0 s after the start "
        "(6s): 1 request sent again"
    )


def test_a_watch_that_was_resumed_at_once_is_not_worth_a_line() -> None:
    spans = BlindSpans()
    spans.lose("Pod", None, 300.0)
    spans.regain("Pod", None, 300.02)
    assert interruptions([], list(spans)) == []


def test_a_generator_that_stood_still_says_so() -> None:
    spans = BlindSpans()
    spans.stall(40.0, 45.5)
    (text,) = interruptions([], list(spans))
    assert text == "the generator itself stood still from 40.0 s to 45.5 s after the start (5.5s)"

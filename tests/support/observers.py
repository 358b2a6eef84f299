"""An observer of requests that keeps what it is notified of."""

from perfscale.kube.calls import Call


class Heard:
    """Keeps what it is notified of."""

    def __init__(self) -> None:
        self.answers: list[tuple[Call, int, float, str | None]] = []
        self.silences: list[tuple[Call, bool]] = []
        self.throttled_s: list[float] = []

    def answered(
        self, call: Call, status: int, sent_s: float, answered_s: float, date: str | None
    ) -> None:
        self.answers.append((call, status, answered_s - sent_s, date))

    def unanswered(self, call: Call, *, timeout: bool) -> None:
        self.silences.append((call, timeout))

    def retried(self, call: Call, throttled_s: float) -> None:  # noqa: ARG002 -- the protocol's
        self.throttled_s.append(throttled_s)

"""The files of the Go perfscale-audit: its input, read and written, and its results."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Final, NamedTuple

from pydantic import BeforeValidator, Field, ValidationError, model_validator

from perfscale.audit.endpoint import PROMETHEUS
from perfscale.audit.window import Window
from perfscale.config.address import parse_address
from perfscale.config.durations import EXAMPLES, parse_duration
from perfscale.config.load import validated
from perfscale.config.reading.document import Wanted, read_document
from perfscale.config.sections.audit import DEFAULT_SCRAPE_INTERVAL_S, AuditThreshold
from perfscale.config.sections.fields import Duration, Flag, detail, refusal, rule, show
from perfscale.config.sections.section import Section
from perfscale.errors import ConfigError
from perfscale.servers import Credentials, chosen_credentials, split_url

if TYPE_CHECKING:
    from pathlib import Path

    from perfscale.audit.evaluation import Audit, Value

INPUT_FILE: Final = "perf-audit-input.json"
RESULTS_FILE: Final = "perf-audit-results.json"
DEFAULT_URL: Final = "http://localhost:9090"
"""Where Prometheus listens by default, and where a port of it is forwarded to."""
DEFAULT_DURATION_S: Final = 600.0

_INPUT: Final = Wanted("audit's input file", "the key prometheusURL")
_NANOSECONDS: Final = 1_000_000_000
_SLACK_S: Final = 1.0


class AuditInput(NamedTuple):
    """The content of an input file.

    Attributes:
        url: The address of Prometheus, without credentials; None if it is not in the file.
        credentials: How to sign in, as the file has it.
        verify_tls: Whether the server's certificate is checked.
        thresholds: Limits by the name of a result.
    """

    window: Window
    url: str | None
    credentials: Credentials
    verify_tls: bool
    thresholds: dict[str, AuditThreshold]


def _moment(value: object) -> datetime | None:
    if value is None:
        return None
    if isinstance(value, str):
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            moment = None
        if moment is not None and moment.tzinfo is not None and "T" in value.upper():
            return moment
    raise rule(f"{show(value)} is not a time as in 2026-01-31T15:04:05Z")


def _interval(value: object) -> float:
    if isinstance(value, int) and not isinstance(value, bool):
        return value / _NANOSECONDS
    if isinstance(value, str):
        try:
            return parse_duration(value)
        except ValueError as error:
            raise rule(str(error)) from error
    raise refusal("number", f"a number of nanoseconds, or a duration, {EXAMPLES}", value)


def _string(value: object) -> str:
    if isinstance(value, str):
        return value
    raise refusal("text", "a text", value)


def _url(value: object) -> str:
    text = _string(value)
    if text:
        try:
            parse_address(text)
        except ValueError as error:
            raise rule(str(error)) from error
    return text


_Moment = Annotated[datetime | None, BeforeValidator(_moment)]
_String = Annotated[str, BeforeValidator(_string)]


class _InputFile(Section):
    called: ClassVar[str] = "an object ({...})"

    start_time: _Moment = None
    end_time: _Moment = None
    duration: Duration | None = None
    url: Annotated[str, BeforeValidator(_url)] = Field(default="", alias="prometheusURL")
    username: _String = Field(default="", alias="prometheusUserName", repr=False)
    password: _String = Field(default="", alias="prometheusPassword", repr=False)
    token: _String = Field(default="", alias="prometheusBearerToken", repr=False)
    verify_tls: Flag = Field(default=True, alias="prometheusVerifyTLS")
    scrape_interval: Annotated[float, BeforeValidator(_interval)] = Field(
        default=0.0, alias="prometheusScrapeInterval"
    )
    threshold_expectations: dict[str, AuditThreshold] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _signs_in_one_way(self) -> _InputFile:
        if self.token and self.username:
            error = rule("there are a bearer token and a user name: leave one of them out")
            # The value is a secret, which no error may carry.
            place = detail(error, ("prometheusBearerToken",), None)
            raise ValidationError.from_exception_data("input", [place])
        return self


def load_input(path: str | Path, *, now: datetime | None = None) -> AuditInput:
    """Read an input file.

    Args:
        path: The file.
        now: What is taken for the end where the file has none.

    Raises:
        ConfigError: Everything that is wrong in it.
    """
    document = read_document(path, _INPUT)
    file = validated(document, _InputFile)
    interval_s = file.scrape_interval if file.scrape_interval > 0 else DEFAULT_SCRAPE_INTERVAL_S
    end = file.end_time or now or datetime.now(UTC)
    if file.start_time is None:
        duration_s = DEFAULT_DURATION_S if file.duration is None else file.duration
        window = Window.ending(end, duration_s, interval_s)
    else:
        window = Window(file.start_time, end, interval_s)
    problem = _window_problem(file, window)
    if problem is not None:
        key, message = problem
        raise ConfigError([document.source.problem((key,), message)])
    url, in_url = split_url(PROMETHEUS, file.url) if file.url else (None, Credentials())
    credentials = Credentials(file.username, file.password, file.token)
    return AuditInput(
        window,
        url,
        chosen_credentials(credentials, in_url),
        file.verify_tls,
        dict(file.threshold_expectations),
    )


def _window_problem(file: _InputFile, window: Window) -> tuple[str, str] | None:
    if window.duration_s <= 0:
        key = "duration" if file.start_time is None else "startTime"
        return key, f"the test ends ({window.end.isoformat()}) before it has begun"
    if file.start_time is None or file.duration is None:
        return None
    if abs(window.duration_s - file.duration) > _SLACK_S:
        return "duration", "there are a startTime and a duration, and they do not agree: keep one"
    return None


def input_document(
    start: datetime,
    end: datetime,
    *,
    url: str | None = None,
    scrape_interval_s: float = DEFAULT_SCRAPE_INTERVAL_S,
) -> dict[str, Any]:
    """An input file for the time of a run, without any secret."""
    return {
        "startTime": _rfc3339(start),
        "endTime": _rfc3339(end),
        "prometheusURL": url or DEFAULT_URL,
        "prometheusScrapeInterval": round(scrape_interval_s * _NANOSECONDS),
    }


def _rfc3339(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def results_document(audit: Audit) -> dict[str, Any]:
    """The content of ``perf-audit-results.json``."""
    return {"Values": {name: _value(each) for name, each in audit.values.items()}}


def _value(each: Value) -> dict[str, Any]:
    threshold = each.threshold
    if threshold is None:
        return {"value": each.value}
    judged: dict[str, Any] = {"thresholdValue": threshold.limit}
    if threshold.metric:
        judged["thresholdMetric"] = threshold.metric
    if threshold.ratio is not None:
        judged["thresholdRatio"] = threshold.ratio
    return {
        "value": each.value,
        "thresholdResult": {**judged, "thresholdExceeded": threshold.exceeded},
    }

"""The query of a request, read once and checked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast, get_args

from perfscale.sim.storage import refusals
from perfscale.sim.storage.refusals import Cause
from perfscale.sim.storage.store import DeleteOptions, Propagation

if TYPE_CHECKING:
    from collections.abc import Mapping

_FIELD_VALIDATIONS: Final = ("Ignore", "Warn", "Strict")
_TRUE: Final = frozenset({"1", "t", "T", "true", "TRUE", "True"})


def flag(query: Mapping[str, str], name: str) -> bool:
    """A boolean of the query; absent is false."""
    return query.get(name, "") in _TRUE


def number(query: Mapping[str, str], name: str) -> int:
    """A count of the query; absent is 0. Raises an `ApiError` (400)."""
    text = query.get(name) or "0"
    if not text.isdecimal():
        raise refusals.bad_request(f'{name}: Invalid value: "{text}": must be a whole number')
    return int(text)


def version(query: Mapping[str, str]) -> int | None:
    """``resourceVersion`` of a list or a watch; None for any, the present state."""
    text = query.get("resourceVersion", "")
    if text in ("", "0"):
        return None
    if not text.isdecimal():
        raise invalid_option("ListOptions", "resourceVersion", f'Invalid value: "{text}"')
    return int(text)


def dry_run(query: Mapping[str, str]) -> bool:
    """Whether nothing is to be stored."""
    text = query.get("dryRun", "")
    if text not in ("", "All"):
        raise invalid_option("CreateOptions", "dryRun", f'Unsupported value: "{text}": "All"')
    return text == "All"


def field_validation(query: Mapping[str, str]) -> str:
    """What becomes of unknown fields: ``Warn``, which is the default, ``Strict``, ``Ignore``."""
    text = query.get("fieldValidation") or "Warn"
    if text not in _FIELD_VALIDATIONS:
        why = f'Unsupported value: "{text}": supported values: {_FIELD_VALIDATIONS}'
        raise invalid_option("CreateOptions", "fieldValidation", why)
    return text


def delete_options(query: Mapping[str, str], body: object) -> DeleteOptions:
    """How to delete: the body's DeleteOptions, else the query's."""
    given: dict[str, Any] = dict(body) if isinstance(body, dict) else {}
    propagation = given.get("propagationPolicy") or query.get("propagationPolicy") or None
    orphan = given.get("orphanDependents", query.get("orphanDependents"))
    if propagation is None and orphan is not None:
        propagation = "Orphan" if orphan in (True, "true") else "Background"
    if propagation is not None and propagation not in get_args(Propagation):
        why = f'Unsupported value: "{propagation}": supported values: {get_args(Propagation)}'
        raise invalid_option("DeleteOptions", "propagationPolicy", why)
    grace = given.get("gracePeriodSeconds")
    if grace is None and "gracePeriodSeconds" in query:
        grace = number(query, "gracePeriodSeconds")
    if grace is not None and not isinstance(grace, int):
        raise invalid_option("DeleteOptions", "gracePeriodSeconds", "must be a whole number")
    preconditions = given.get("preconditions") or {}
    if not isinstance(preconditions, dict):
        raise invalid_option("DeleteOptions", "preconditions", "must be an object")
    return DeleteOptions(
        uid=preconditions.get("uid"),
        resource_version=preconditions.get("resourceVersion"),
        grace_period_s=grace,
        propagation=cast("Propagation | None", propagation),
        dry_run=dry_run(query) or given.get("dryRun") == ["All"],
    )


def check_list(query: Mapping[str, str]) -> None:
    """Refuse the combinations of list options that a kube-apiserver refuses."""
    match = query.get("resourceVersionMatch", "")
    watch = flag(query, "watch")
    if match and not query.get("resourceVersion") and not flag(query, "sendInitialEvents"):
        why = "Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided"
        raise invalid_option("ListOptions", "resourceVersionMatch", why)
    if match not in ("", "Exact", "NotOlderThan"):
        why = f'Unsupported value: "{match}": supported values: "Exact", "NotOlderThan"'
        raise invalid_option("ListOptions", "resourceVersionMatch", why)
    if "sendInitialEvents" in query:
        if not watch:
            why = "Forbidden: sendInitialEvents is forbidden for list"
            raise invalid_option("ListOptions", "sendInitialEvents", why)
        if match != "NotOlderThan":
            why = (
                "Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"
            )
            raise invalid_option("ListOptions", "resourceVersionMatch", why)


def invalid_option(kind: str, field: str, why: str) -> refusals.InvalidError:
    """422: an option of the request."""
    return refusals.InvalidError(
        f'{kind}.meta.k8s.io "" is invalid: {field}: {why}',
        causes=[Cause("FieldValueInvalid", why, field)],
    )

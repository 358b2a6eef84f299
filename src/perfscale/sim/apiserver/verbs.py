"""What each verb does with the objects of the store, one function for each.

A request has been read in full by then: nothing here waits, so every request sees and
changes the store at one moment.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from perfscale.errors import NotFoundError
from perfscale.sim.apiserver import options
from perfscale.sim.apiserver.known_fields import field_warnings
from perfscale.sim.apiserver.negotiation import decode_body, unsupported
from perfscale.sim.storage import patch, refusals
from perfscale.sim.storage.records import JSON, encode
from perfscale.sim.storage.selectors import Selector, parse_selector
from perfscale.sim.storage.validation import prepare, validate

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from perfscale.errors import ApiError
    from perfscale.sim.apiserver.negotiation import View
    from perfscale.sim.apiserver.paging import Page, Pager
    from perfscale.sim.apiserver.target import Target
    from perfscale.sim.storage.store import Store

# Namespaces that the API server does not let go: its NamespaceLifecycle admission.
_IMMORTAL: Final = frozenset({"default", "kube-public", "kube-system"})
_APPLY: Final = "application/apply-patch+yaml"
_PATCHES: Final[Mapping[str, Callable[[JSON, Any], Any]]] = {
    "application/merge-patch+json": patch.merge_patch,
    "application/json-patch+json": patch.json_patch,
    "application/strategic-merge-patch+json": patch.strategic_merge_patch,
    _APPLY: patch.strategic_merge_patch,
}


@dataclass(frozen=True, slots=True)
class Request:
    """A request for objects, read in full.

    Attributes:
        warnings: What the answer warns of, added to while it is worked on.
    """

    target: Target
    view: View
    query: Mapping[str, str]
    body: bytes
    content_type: str
    warnings: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        """The object's name; raises an `ApiError` (405) for a whole collection."""
        if self.target.name is None:
            raise not_allowed()
        return self.target.name

    def selector(self) -> Selector:
        """Which objects of the collection are meant."""
        return parse_selector(
            self.query.get("labelSelector", ""),
            self.query.get("fieldSelector", ""),
            self.target.kind.plural,
        )

    def decoded(self) -> Any:  # noqa: ANN401 - JSON
        """The body's content."""
        return decode_body(self.body, self.content_type)


def not_allowed() -> ApiError:
    """405: the kind does not do that."""
    return refusals.refusal(
        405, "MethodNotAllowed", "the server does not allow this method on the requested resource"
    )


def get(store: Store, request: Request) -> bytes:
    """Read one object."""
    target = request.target
    record = store.record(target.resource, target.namespace, request.name)
    if target.subresource == "scale":
        return encode(_scale(record.load()))
    return request.view.raw(record)


def list_page(store: Store, pager: Pager, request: Request) -> Page:
    """Read a collection, or a page of it."""
    options.check_list(request.query)
    limit = options.number(request.query, "limit")
    token = request.query.get("continue")
    if token:
        return pager.next(token, limit)
    resource = request.target.resource
    wanted = options.version(request.query)
    if wanted is not None and wanted > store.version:
        raise refusals.TooLargeVersionError(wanted, store.version)
    shown = store.version
    if wanted is not None and request.query.get("resourceVersionMatch") == "Exact":
        if store.changes_since(resource, wanted):
            raise refusals.expired(f"The provided resource version is too old: {wanted}")
        shown = wanted
    records = store.records(resource, request.target.namespace, request.selector())
    return pager.first(records, shown, limit)


def create(store: Store, request: Request) -> JSON:
    """Create an object."""
    target = request.target
    if target.name is not None or (target.kind.namespaced and target.namespace is None):
        raise not_allowed()
    obj = prepare(target.kind, target.resource, request.decoded(), target.namespace)
    if target.kind.group == "authorization.k8s.io":
        return _review(target, obj)
    return _create(store, request, obj)


def _review(target: Target, obj: JSON) -> JSON:
    status: JSON = {"allowed": True}
    if target.kind.kind == "SelfSubjectRulesReview":
        anything = {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}
        status = {"incomplete": False, "resourceRules": [anything], "nonResourceRules": []}
    typed = {"apiVersion": target.resource.api_version, "kind": target.kind.kind}
    return {**typed, "metadata": {}, "spec": obj.get("spec"), "status": status}


def replace(store: Store, request: Request) -> JSON:
    """Replace an object, or a subresource of it."""
    target = request.target
    if target.subresource == "scale":
        return _rescale(store, request, request.decoded())
    obj = _named(request, request.decoded())
    if not target.kind.builtin and not obj["metadata"].get("resourceVersion"):
        # A custom resource cannot be replaced blindly. What is not there is not found first.
        store.record(target.resource, target.namespace, request.name)
        why = "Invalid value: 0x0: must be specified for an update"
        cause = refusals.Cause("FieldValueInvalid", why, "metadata.resourceVersion")
        raise refusals.invalid(target.resource, target.namespace, request.name, [cause])
    return _update(store, request, obj)


def change(store: Store, request: Request) -> tuple[JSON, bool]:
    """Patch an object, or apply it; returns it, and whether it was created."""
    target = request.target
    apply_patch = _PATCHES.get(request.content_type)
    if apply_patch is None or (
        not target.kind.builtin and request.content_type == "application/strategic-merge-patch+json"
    ):
        raise unsupported(request.content_type, ", ".join(_PATCHES))
    difference = request.decoded()
    if request.content_type == _APPLY:
        if not request.query.get("fieldManager"):
            why = "Required value: is required for apply patch"
            raise options.invalid_option("PatchOptions", "fieldManager", why)
        if not target.kind.builtin:
            apply_patch = patch.merge_patch
    try:
        current = store.get(target.resource, target.namespace, request.name)
    except NotFoundError:
        if request.content_type != _APPLY or target.subresource:
            raise
        return _create(store, request, _named(request, difference)), True
    if target.subresource == "scale":
        return _rescale(store, request, apply_patch(_scale(current), difference)), False
    current["apiVersion"] = target.resource.api_version
    return _update(store, request, _named(request, apply_patch(current, difference))), False


def _create(store: Store, request: Request, obj: JSON) -> JSON:
    _check(request, obj)
    dry_run = options.dry_run(request.query)
    return store.create(request.target.resource, obj, dry_run=dry_run)


def _update(store: Store, request: Request, obj: JSON) -> JSON:
    _check(request, obj)
    target = request.target
    return store.update(
        target.resource,
        obj,
        subresource=target.subresource,
        dry_run=options.dry_run(request.query),
    )


def _check(request: Request, obj: JSON) -> None:
    target = request.target
    request.warnings.extend(field_warnings(target, request.query, obj))
    validate(target.kind, target.resource, obj)


def _named(request: Request, content: object) -> JSON:
    """The object of a request's content, with the name that the URL has."""
    target = request.target
    obj = prepare(target.kind, target.resource, content, target.namespace)
    given = obj["metadata"].get("name")
    if given is None:
        obj["metadata"] = {**obj["metadata"], "name": request.name}
    elif given != request.name:
        raise refusals.bad_request(
            f"the name of the object ({given}) does not match the name on the URL ({request.name})"
        )
    return obj


def delete(store: Store, request: Request) -> JSON:
    """Delete one object: the object if it stays for now, else a Status."""
    target = request.target
    if target.subresource is not None:
        raise not_allowed()
    wanted = options.delete_options(request.query, request.decoded() if request.body else None)
    if target.kind.plural == "namespaces" and target.name in _IMMORTAL:
        why = f'namespaces "{target.name}" is forbidden: this namespace may not be deleted'
        raise refusals.refusal(403, "Forbidden", why)
    obj, gone = store.delete(target.resource, target.namespace, request.name, wanted)
    if not gone:
        return obj
    details = {"name": obj["metadata"]["name"], "kind": target.kind.plural}
    if target.kind.group:
        details["group"] = target.kind.group
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Success",
        "details": {**details, "uid": obj["metadata"]["uid"]},
    }


def _scale(obj: JSON) -> JSON:
    metadata, spec, status = obj["metadata"], obj.get("spec") or {}, obj.get("status") or {}
    kept = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
    shown: JSON = {"replicas": status.get("replicas", 0)}
    if selector := status.get("labelSelector") or _selector_of(spec):
        shown["selector"] = selector
    return {
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": {key: metadata[key] for key in kept if key in metadata},
        "spec": {"replicas": spec.get("replicas", 1)},
        "status": shown,
    }


def _selector_of(spec: JSON) -> str:
    """The pods of a built-in kind in its scale, as a label selector."""
    selector: JSON = spec.get("selector") or {}
    # A replication controller's is only the labels.
    labels = selector.get("matchLabels", {} if "matchExpressions" in selector else selector)
    return ",".join(f"{key}={value}" for key, value in sorted((labels or {}).items()))


def _precondition(target: Target, metadata: JSON) -> object:
    """The UID that a Scale is for; custom resources ignore it."""
    return metadata.get("uid") if target.kind.builtin else None


def _rescale(store: Store, request: Request, scale: object) -> JSON:
    target = request.target
    given = scale if isinstance(scale, dict) else {}
    spec, metadata = given.get("spec") or {}, given.get("metadata") or {}
    if not isinstance(spec, dict) or not isinstance(metadata, dict):
        raise refusals.bad_request("the body of the request is not a Scale")
    obj = store.get(target.resource, target.namespace, request.name)
    made = {
        **obj,
        "metadata": {
            **obj["metadata"],
            "uid": _precondition(target, metadata) or obj["metadata"]["uid"],
            "resourceVersion": metadata.get("resourceVersion"),
        },
        "spec": {**obj["spec"], "replicas": spec.get("replicas", 0)},
    }
    validate(target.kind, target.resource, made)
    dry_run = options.dry_run(request.query)
    return _scale(store.update(target.resource, made, dry_run=dry_run))

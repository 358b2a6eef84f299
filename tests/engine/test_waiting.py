"""What is said of the namespaces that a wait is for."""

from typing import Any

import msgspec
import pytest
from tracker_story import Story

from perfscale.engine.accounting.load_progress import wait_in
from perfscale.engine.events import Stage
from perfscale.engine.tracking.evidence import NamespaceObject, explain_namespace
from perfscale.engine.tracking.owned import OwnedNamespace
from perfscale.engine.tracking.readiness import Metadata


def leaving(name: str, asked_s: float, stays: str | None) -> OwnedNamespace:
    owned = OwnedNamespace(Metadata(name, f"uid-{name}", None, "1"), 0.0)
    owned.asked_s, owned.stays = asked_s, stays
    return owned


def test_namespaces_are_among_what_is_to_go_by_name(story: Story) -> None:
    scope = story.iteration(1)
    namespaces = [leaving("density-1", 3.0, "held by finalizer example.org/held")]
    waiting = wait_in(Stage.WAITING_GONE, [scope], 20.0, began_s=5.0, namespaces=namespaces)
    assert waiting is not None
    assert waiting.missing == 1
    assert waiting.phases == {("Namespace", "Terminating"): 1}
    (slow,) = waiting.slowest
    assert (slow.kind, slow.name, slow.waited_s) == ("Namespace", "density-1", 17.0)
    assert slow.detail == "held by finalizer example.org/held"


def test_a_namespace_is_nothing_that_has_to_become_ready(story: Story) -> None:
    scope = story.iteration(1)
    namespaces = [leaving("density-1", 3.0, None)]
    waiting = wait_in(Stage.WAITING_READY, [scope], 20.0, began_s=5.0, namespaces=namespaces)
    assert waiting is not None
    assert waiting.slowest == ()


FAILS = {"type": "NamespaceDeletionDiscoveryFailure", "status": "True", "message": "no metrics"}
REMAINS = {"type": "NamespaceContentRemaining", "status": "True", "message": "2 pods"}
FALSE = {"type": "NamespaceContentRemaining", "status": "False", "message": "all removed"}
OTHER = {"type": "SomethingElse", "status": "True", "reason": "Somehow"}


@pytest.mark.parametrize(
    ("finalizers", "spec", "conditions", "why"),
    [
        ([], ["kubernetes"], [REMAINS, FAILS], "no metrics"),
        ([], ["kubernetes"], [FALSE, REMAINS], "2 pods"),
        ([], ["kubernetes"], [OTHER], "Somehow"),
        (["a/b"], [], [FALSE], "held by finalizer a/b"),
        ([], ["kubernetes", "c/d"], [], "held by finalizer c/d"),
        ([], ["kubernetes"], [], "nothing has begun to empty it"),
        ([], ["kubernetes"], [FALSE], "it is empty"),
    ],
)
def test_what_keeps_a_namespace_is_told_for_every_way_it_can_stay(
    finalizers: list[str], spec: list[str], conditions: list[dict[str, Any]], why: str
) -> None:
    explained = explain_namespace(terminating(finalizers, spec, conditions))
    assert explained is not None
    assert explained.startswith(why)


def test_a_namespace_that_nobody_asked_to_go_has_no_such_reason() -> None:
    namespace = terminating([], ["kubernetes"], [FAILS], deleted=None)
    assert explain_namespace(namespace) is None


def terminating(
    finalizers: list[str],
    spec: list[str],
    conditions: list[dict[str, Any]],
    deleted: str | None = "2026-01-01T00:00:00Z",
) -> NamespaceObject:
    metadata = {
        "name": "density-1",
        "uid": "uid-1",
        "finalizers": finalizers,
        "deletionTimestamp": deleted,
    }
    document = {
        "metadata": metadata,
        "spec": {"finalizers": spec},
        "status": {"conditions": conditions},
    }
    return msgspec.convert(document, NamespaceObject)

"""What people get wrong in a faults file: each refused with its place and the way out."""

import re
from pathlib import Path

import pytest

from perfscale.errors import ConfigError
from perfscale.sim.faults import Faults, dump_faults, faults_schema, load_faults, parse_faults

EXAMPLES = sorted((Path(__file__).parents[3] / "examples" / "faults").glob("*.yaml"))


def request(line: str) -> str:
    return f"requests:\n  - fault: tooManyRequests\n    {line}\n"


BROKEN = {
    "empty": ("", "f.yaml:1:1", "a faults file has at least one of the keys"),
    "two documents": ("seed: 1\n---\nseed: 2\n", "f.yaml:2:1", "a faults file holds one"),
    "too deep": ("[" * 100, "f.yaml:1:51", "this is no faults file"),
    "a workload file": ("workloads: []\n", "f.yaml:1:1", "there is no key workloads here"),
    "a misspelt key": ("outage: []\n", "f.yaml:1:1", "did you mean outages?"),
    "a key of another place": ("share: 1\n", "f.yaml:1:1", "it is a key of requests[] and of"),
    "no list": ("watches: 3\n", "f.yaml:1:10", "a list of faults"),
    "no mapping": ("watches: [closed]\n", "f.yaml:1:11", "a mapping (fault, share,"),
    "no fault": ("requests:\n  - share: 1\n", "f.yaml:2:5", "this key is missing"),
    "a misspelt fault": ("watches: [{fault: close}]\n", "f.yaml:1:19", "did you mean closed?"),
    "no seed": ("seed: -1\n", "f.yaml:1:7", "a whole number that is not negative"),
    "a share above one": (request("share: 5"), "f.yaml:3:12", "from 0 (never) to 1 (always)"),
    "a percentage": (request("share: 5%"), "f.yaml:3:12", "write 0.05"),
    "an unknown verb": (request("verbs: [make]"), "f.yaml:3:12", "write one of create, get"),
    "an unknown resource": (
        request("resources: [virtualmachine]"),
        "f.yaml:3:16",
        "did you mean virtualmachines?",
    ),
    "one verb": (request("verbs: create"), "f.yaml:3:12", "a list with one or more verbs"),
    "half a second": (request("retryAfter: 500ms"), "f.yaml:3:17", "HTTP counts in seconds"),
    "a key of another fault": (request("delay: 1s"), "f.yaml:3:12", "only slow"),
    "slow by nothing": ("requests: [{fault: slow}]\n", "f.yaml:1:20", "needs the key delay"),
    "a watch reset after": (
        "requests: [{fault: resetAfter, verbs: [watch]}]\n",
        "f.yaml:1:39",
        "a watch has no end",
    ),
    "a webhook of another fault": (request("webhook: a.b"), "f.yaml:3:14", "only webhookDown"),
    "an unknown group": (request("groups: [kubevirt]"), "f.yaml:3:13", "did you mean kubevirt.io?"),
    "verbs of the discovery": (
        "requests: [{fault: forbidden, scope: discovery, verbs: [get]}]\n",
        "f.yaml:1:56",
        "leave out the scope",
    ),
    "groups of everything": (
        "requests: [{fault: forbidden, scope: all, groups: [core]}]\n",
        "f.yaml:1:51",
        "leave out the groups",
    ),
    "a rate of nothing": (
        "cluster: {contention: {perSecond: 0}}\n",
        "f.yaml:1:35",
        "a number above 0",
    ),
    "controllers without a queue": (
        "cluster: {contention: {perSecond: 5, resource: services}}\n",
        "f.yaml:1:48",
        "virtualmachineinstances",
    ),
    "closed at no time": (
        "watches: [{fault: closed}]\n",
        "f.yaml:1:19",
        "needs the key after or afterEvents",
    ),
    "an outage at no time": ("outages: [{lasts: 1s}]\n", "f.yaml:1:19", "after or afterRequests"),
    "an outage without an end": (
        "outages: [{after: 1s, lasts: 3s, every: 2s}]\n",
        "f.yaml:1:41",
        "longer than the outage lasts",
    ),
    "a duration without a unit": ("outages: [{lasts: 1}]\n", "f.yaml:1:19", "write 1s"),
    "stuck nowhere": ("objects: [{fault: stuck}]\n", "f.yaml:1:19", "needs the key phase"),
    "a kind without phases": (
        "objects: [{fault: stuck, phase: Pending, resources: [secrets]}]\n",
        "f.yaml:1:53",
        "secrets have no phases",
    ),
    "labels of another fault": (
        "objects: [{fault: held, labels: [a]}]\n",
        "f.yaml:1:33",
        "only labelsStripped and labelRemoved",
    ),
    "no suffix of a name": (
        "objects: [{fault: renamed, suffix: A_B}]\n",
        "f.yaml:1:36",
        "cannot be a name in Kubernetes",
    ),
    "a group without groups": (
        "requests: [{fault: groupUnavailable}]\n",
        "f.yaml:1:20",
        "needs the key groups",
    ),
    "a group's scope": (
        "requests: [{fault: groupUnavailable, groups: [apps], scope: all}]\n",
        "f.yaml:1:61",
        "discovery and objects of its groups",
    ),
    "a group without its version": (
        "namespaces: [{fault: discoveryFails, undiscovered: [apps]}]\n",
        "f.yaml:1:52",
        "write metrics.k8s.io/v1beta1",
    ),
    "a finalizer of another fault": (
        "namespaces: [{fault: unprocessed, finalizer: a.b/c}]\n",
        "f.yaml:1:46",
        "only finalizersRemain",
    ),
    "an offset without a unit": ("cluster: {clockOffset: -7}\n", "f.yaml:1:24", "write -7s"),
    "no cluster": ("cluster: 7\n", "f.yaml:1:10", "a mapping (clockOffset"),
    "garbage of no sort": ("requests: [{fault: garbage}]\n", "f.yaml:1:20", "needs the key body"),
    "garbage of another sort": (
        "requests: [{fault: garbage, body: htlm}]\n",
        "f.yaml:1:35",
        "did you mean html?",
    ),
    "no Retry-After": (
        "requests: [{fault: badRetryAfter}]\n",
        "f.yaml:1:20",
        "needs the key value",
    ),
    "a status that says nothing of when": (
        "requests: [{fault: badRetryAfter, value: x, status: 500}]\n",
        "f.yaml:1:53",
        "429 or 503",
    ),
    "a bomb of nothing": (
        "requests: [{fault: gzipBomb, mebibytes: 0}]\n",
        "f.yaml:1:41",
        "a whole number from 1",
    ),
    "no copy": (
        "cluster: {restored: {after: 1s}}\n",
        "f.yaml:1:21",
        "copyAfter or copyAfterRequests",
    ),
    "a copy from the future": (
        "cluster: {restored: {copyAfter: 2s, after: 1s}}\n",
        "f.yaml:1:44",
        "later than the copy",
    ),
    "no finalizer": (
        "objects: [{fault: held, finalizer: mine}]\n",
        "f.yaml:1:36",
        "example.com/hold",
    ),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_mistake_is_found_where_it_is(
    case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content, place, message = BROKEN[case]
    monkeypatch.chdir(tmp_path)
    Path("f.yaml").write_text(content, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_faults("f.yaml")
    assert any(
        str(problem).startswith(place) and message in problem.message
        for problem in caught.value.problems
    ), str(caught.value)
    assert "workload file" not in str(caught.value)


def test_every_mistake_is_told_at_once(tmp_path: Path) -> None:
    file = tmp_path / "f.yaml"
    file.write_text("seed: x\nrequests: [{fault: slow}]\noutages: 1\n", encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_faults(file)
    assert [problem.line for problem in caught.value.problems] == [1, 2, 3]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_is_valid_and_survives_the_way_to_another_process(path: Path) -> None:
    faults = load_faults(path)
    assert parse_faults(dump_faults(faults)) == faults


def test_there_is_an_example_of_every_fault() -> None:
    shown = {
        name
        for path in EXAMPLES
        for name in re.findall(r"fault: (\w+)", path.read_text(encoding="utf-8"))
    }
    schema = faults_schema()
    known = {
        name
        for part in schema["$defs"].values()
        for name in part["properties"].get("fault", {}).get("enum", ())
    }
    assert shown == known


def test_an_empty_list_is_no_fault(tmp_path: Path) -> None:
    file = tmp_path / "f.yaml"
    file.write_text("requests:\n#  - fault: slow\nwatches: []\n", encoding="utf-8")
    assert load_faults(file) == Faults()

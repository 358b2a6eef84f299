"""The role of a workload permits what its run needs, and says where no role of a namespace can."""

import pytest

from perfscale.errors import UsageError
from perfscale.kube.resources import NAMESPACES, Place, Resource
from perfscale.preflight import make_role
from perfscale.preflight.permissions.required import RequiredAccess

VMS = Resource("kubevirt.io", "v1", "virtualmachines", "VirtualMachine", namespaced=True)
VMIS = Resource(
    "kubevirt.io", "v1", "virtualmachineinstances", "VirtualMachineInstance", namespaced=True
)
RESTARTS = Resource(
    "subresources.kubevirt.io", "v1", "virtualmachines/restart", "VirtualMachine", namespaced=True
)
NODES = Resource("", "v1", "nodes", "Node", namespaced=False)
FOLLOWED = {"apiGroups": ["kubevirt.io"], "resources": ["virtualmachineinstances"]}


def required(
    *verbs: tuple[str, Place], namespace: str = "team", created: Resource = VMS
) -> RequiredAccess:
    return RequiredAccess(
        created=(created,),
        watched=(created, VMIS),
        deleted=(),
        operated=(("update", RESTARTS),),
        made=(namespace,),
        namespaces=(namespace,),
        verbs=verbs,
    )


def test_a_cluster_role_permits_to_make_namespaces_and_to_follow_what_controllers_make() -> None:
    role = make_role(required(), name="load")
    assert (role["kind"], role["metadata"]) == ("ClusterRole", {"name": "load"})
    assert role["rules"] == [
        {
            "apiGroups": [""],
            "resources": ["namespaces"],
            "verbs": ["get", "list", "watch", "create", "delete"],
        },
        {**FOLLOWED, "verbs": ["list", "watch"]},
        {
            "apiGroups": ["kubevirt.io"],
            "resources": ["virtualmachines"],
            "verbs": ["list", "watch", "create", "delete"],
        },
        {
            "apiGroups": ["subresources.kubevirt.io"],
            "resources": ["virtualmachines/restart"],
            "verbs": ["update"],
        },
    ]


def test_resources_with_the_same_verbs_share_a_rule() -> None:
    access = RequiredAccess((VMS, VMIS), (VMS, VMIS), (), (), ("team",), ("team",), ())
    [rule] = make_role(access, name="load", namespace="team")["rules"]
    assert rule["resources"] == ["virtualmachineinstances", "virtualmachines"]


def test_a_role_of_one_namespace_has_nothing_of_namespaces() -> None:
    role = make_role(required(), name="load", namespace="team")
    assert (role["kind"], role["metadata"]) == ("Role", {"name": "load", "namespace": "team"})
    assert [rule["resources"] for rule in role["rules"]] == [
        ["virtualmachineinstances"],
        ["virtualmachines"],
        ["virtualmachines/restart"],
    ]


@pytest.mark.parametrize(
    ("access", "message"),
    [
        (required(namespace="team-1"), "creates in namespace team-1, for which a role in team"),
        (required(created=NODES), "needs to list nodes, which no role in one namespace permits"),
        (
            required(("patch", Place(VMS))),
            "patch virtualmachines.kubevirt.io, which no",
        ),
        (required(("list", Place(VMS, "other"))), "in namespace other, which no role"),
        (required(("create", Place(NAMESPACES))), "needs to create namespaces, which no role"),
    ],
    ids=["elsewhere", "of the cluster", "everywhere", "in another", "new namespaces"],
)
def test_what_one_namespace_cannot_permit_is_refused(access: RequiredAccess, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        make_role(access, name="load", namespace="team")

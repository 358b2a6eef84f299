from perfscale.preflight import ForeignTargets


def test_what_others_would_lose_is_said_by_namespace_the_largest_first() -> None:
    assert str(ForeignTargets("VirtualMachine", 12, {"a": 2, "b": 10})) == (
        "12 VirtualMachine (b: 10, a: 2)"
    )
    many: dict[str | None, int] = {f"team-{n}": 1 for n in range(8)}
    assert str(ForeignTargets("Pod", 8, many)).endswith("team-4: 1, 3 more namespaces)")
    assert str(ForeignTargets("Node", 3, {None: 3})) == "3 Node"

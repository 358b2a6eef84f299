"""What templates draw is that of the object, whoever makes it and whenever."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from perfscale.config import Config
from perfscale.engine.sharding.portion import replicas_of
from perfscale.engine.sharding.shard import WHOLE, Shard
from perfscale.templates import ObjectFactory, compile_templates

HEAD = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n"
TEMPLATES = {
    "jinja.yaml": HEAD
    + "  name: j-{{ name }}-{{ iteration }}-{{ replica }}-{{ range(100, 999) | random }}\n"
    + "data: {size: '{{ ['s', 'm', 'l'] | random }}', n: '{{ range(9999) | random }}'}\n",
    "go.yaml": HEAD
    + "  name: g-{{ .name }}-{{ .iteration }}-{{ .replica }}\n"
    + "data: {word: '{{ randAlphaNum 8 }}', n: '{{ randInt 0 9999 }}', id: '{{ uuidv4 }}'}\n",
    "rendered.yaml": HEAD
    + "  name: r-{{ .name }}-{{ .iteration }}-{{ .replica }}-{{ randAlpha 5 | lower }}\n"
    + "data: {{ if eq (mod (randInt 0 9) 2) 0 }}{a: '1'}{{ else }}{b: '{{ shuffle \"abcd\" }}'}"
    + "{{ end }}\n",
    "plain.yaml": HEAD + "  name: p-{{ name }}-{{ iteration }}-{{ replica }}\n",
}
ITERATIONS = 3


def compiled(folder: Path, entries: list[tuple[str, int]], seed: int) -> list[ObjectFactory]:
    """Two workloads, of the same entries."""
    for name, text in TEMPLATES.items():
        (folder / name).write_text(text)
    workloads = [
        {
            "name": workload,
            "iterationCount": ITERATIONS,
            "objects": [
                {
                    "templateFile": str(folder / name),
                    "replicas": replicas,
                    "inputVars": {"name": f"{workload}-{number}"},
                }
                for number, (name, replicas) in enumerate(entries)
            ],
        }
        for workload in ("one", "other")
    ]
    load = Config.model_validate({"globalConfig": {"seed": seed}, "workloads": workloads})
    return [each for members in compile_templates(load, run_id="r") for each in members]


def made_by(shard: Shard, factories: list[ObjectFactory]) -> list[Any]:
    """Name and content of each object that a generator makes of one workload."""
    return [
        (request.name, json.loads(request.body))
        for iteration in range(1, ITERATIONS + 1)
        for factory, replicas in zip(
            factories, replicas_of(shard, factories, iteration), strict=True
        )
        for replica in replicas
        for request in factory.render(iteration, replica)
    ]


def by_name(made: list[Any]) -> list[Any]:
    return sorted(made, key=lambda each: str(each[0]))


@given(
    st.lists(
        st.tuples(st.sampled_from(sorted(TEMPLATES)), st.integers(1, 12)), min_size=1, max_size=4
    ),
    st.integers(0, 1000),
)
def test_one_two_and_four_generators_make_the_same_objects(
    tmp_path_factory: Any, entries: list[tuple[str, int]], seed: int
) -> None:
    folder = tmp_path_factory.mktemp("templates")
    whole = compiled(folder, entries, seed)[: len(entries)]
    expected = by_name(made_by(WHOLE, whole))
    assert len({name for name, _ in expected}) == len(expected)
    for count in (1, 2, 4):
        made = []
        for index in range(count):
            own = compiled(folder, entries, seed)[: len(entries)]
            made += made_by(Shard(index, count), own)
        assert by_name(made) == expected


def test_what_is_drawn_does_not_depend_on_what_else_is_rendered(tmp_path: Path) -> None:
    entries = [(name, 10) for name in TEMPLATES]
    alone, among = compiled(tmp_path, entries, 7), compiled(tmp_path, entries, 7)
    expected = [factory.render(2, replica) for factory in alone for replica in range(1, 11)]
    for factory in reversed(among):
        factory.render(1, 5)
    found = [
        [among[number].render(2, replica) for number in range(len(among))]
        for replica in range(10, 0, -1)
    ]
    assert [found[10 - replica][n] for n in range(len(among)) for replica in range(1, 11)] == (
        expected
    )


def test_objects_put_together_from_a_form_are_those_that_are_rendered(tmp_path: Path) -> None:
    for factory in compiled(tmp_path, [(name, 10) for name in TEMPLATES], 7):
        for iteration, replica in ((1, 1), (2, 7), (1, 1)):
            slowly = factory.render_slowly(iteration, replica)
            assert factory.render(iteration, replica) == slowly


def test_two_entries_two_replicas_and_two_seeds_draw_other_values(tmp_path: Path) -> None:
    def word(factory: ObjectFactory, iteration: int, replica: int) -> str:
        return str(json.loads(factory.render(iteration, replica)[0].body)["data"]["word"])

    entries = [("go.yaml", 10), ("go.yaml", 10)]
    words = [
        word(factory, iteration, replica)
        for seed in (1, 2)
        for factory in compiled(tmp_path, entries, seed)
        for iteration in (1, 2)
        for replica in (1, 2)
    ]
    assert len(set(words)) == 2 * 4 * 2 * 2

"""Broken templates as people write them, and what they are told."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from perfscale.config.labels import ITERATION_LABEL, RUN_LABEL, WORKLOAD_LABEL
from perfscale.errors import TemplateError
from perfscale.templates import TemplateDefaults

if TYPE_CHECKING:
    from template_folder import Folder

CONFIGMAP = """
apiVersion: v1
kind: ConfigMap
metadata:
  name: c-{{ iteration }}-{{ replica }}
data:
"""
HEAD = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n"

BROKEN = [
    ("tabs", "apiVersion: v1\nkind: Pod\nmetadata:\n\tname: x\n", 4, "indent with spaces"),
    ("an undefined variable", HEAD + "  name: {{ nam }}\n", 4, "variable 'nam' is not defined"),
    ("a misspelt variable", HEAD + "  name: a-{{ replcia }}\n", 4, "did you mean {{ replica }}?"),
    ("a misspelt Go variable", HEAD + "  name: a{{.Replica}}\n", 4, "did you mean {{.replica}}?"),
    ("an open range", HEAD + "  name: a{{.replica}}\n{{ range .uuid }}\n", 5, "no `{{end}}`"),
    ("both dialects", HEAD + "  name: {{.replica}}-{{ replica }}\n", 4, "one file is in one"),
    ("no kind", "apiVersion: v1\nmetadata:\n  name: a\n", 1, "kind is missing"),
    ("an empty kind", "apiVersion: v1\nkind:\nmetadata:\n  name: a\n", 2, "kind is missing"),
    ("no apiVersion", "kind: Pod\nmetadata:\n  name: a\n", 1, "apiVersion: kubevirt.io/v1"),
    ("an odd apiVersion", "apiVersion: 1\nkind: Pod\nmetadata:\n  name: a\n", 1, "not of the form"),
    ("no metadata", "apiVersion: v1\nkind: Pod\n", 1, "metadata is missing"),
    (
        "metadata as a list",
        "apiVersion: v1\nkind: Pod\nmetadata: [a]\n",
        3,
        "a list, not a mapping",
    ),
    ("no name", HEAD + "  labels: {}\n", 3, "metadata.name is missing"),
    ("generateName", HEAD + "  generateName: a-\n", 4, "the replica's number in it"),
    ("a number as name", HEAD + "  name: {{ replica }}\n", 4, "put it in quotes"),
    ("capitals in a name", HEAD + "  name: Vm-{{ replica }}\n", 4, "lower-case letters"),
    ("an underscore in a name", HEAD + "  name: a_{{ replica }}\n", 4, "DNS-1123"),
    ("a name that is too long", HEAD + f"  name: {'a' * 254}\n", 4, "at most 253"),
    ("a bad namespace", HEAD + "  name: a\n  namespace: a.b\n", 5, "'a.b' cannot be the name"),
    ("a list of objects", "- apiVersion: v1\n  kind: Pod\n", 1, "not a list"),
    ("a bare text", "hello\n", 1, "not text"),
    ("kind List", "apiVersion: v1\nkind: List\nitems: []\n", 2, "separated by `---`"),
    ("a list kind", "apiVersion: v1\nkind: PodList\nitems: []\n", 2, "separated by `---`"),
    ("an empty file", "", 1, "no object in it"),
    ("only comments", "# nothing\n---\n", 1, "no object in it"),
    ("two equal keys", HEAD + "  name: a\n  name: b\n", 5, "'name' stands twice"),
    ("two equal keys in one line", HEAD + "  name: a\ndata: {a: b, a: c}\n", 5, "'a' stands twice"),
    ("a colon in a value", HEAD + "  name: a\ndata:\n  a: b: c\n", 6, "in quotes"),
    ("an open bracket", HEAD + "  name: a\ndata: [1\n", 5, "not YAML after rendering"),
    ("a percent sign", HEAD + "  name: a\n  x: %y\n", 5, "in quotes"),
    ("a label that is a number", HEAD + "  name: a\n  labels:\n    n: 5\n", 6, "put it in quotes"),
    ("a label with a space", HEAD + "  name: a\n  labels:\n    n: a b\n", 6, "is not accepted"),
    ("labels as a list", HEAD + "  name: a\n  labels: [x]\n", 5, "not a mapping"),
    ("our own label", HEAD + f"  name: a\n  labels:\n    {RUN_LABEL}: x\n", 6, "by the run itself"),
    ("an endless number", HEAD + "  name: a\nx: .inf\n", 5, "JSON does not have"),
    ("a key that is no text", HEAD + "  name: a\ndata:\n  true: x\n", 5, "must be text"),
    ("a value in itself", HEAD + "  name: a\nx: &x\n  y: *x\n", 6, "contains itself"),
    ("a Python tag", HEAD + "  name: a\nx: !!python/object:x y\n", 5, "tags are not understood"),
    ("a shell array", HEAD + "  name: a\nx: |\n  ${#a[@]}\n", 6, "{% raw %}"),
    (
        "a block of Jinja2 in a Go file",
        HEAD + "  name: a{{.replica}}\n{% if x %}\n",
        5,
        "whole file",
    ),
    ("an include", "{% include 'x' %}\n", 1, "needs another file"),
    ("a comment left open", "{# x\n", 1, "no `#}` ends it"),
    ("an open block", HEAD + "  name: a\n{% if replica %}\n", 5, "not Jinja2"),
    ("a division by zero", HEAD + "  name: a{{ 1 / 0 }}\n", 4, "division by zero"),
]


@pytest.mark.parametrize(
    ("text", "line", "says"), [b[1:] for b in BROKEN], ids=[b[0] for b in BROKEN]
)
def test_a_broken_template_is_refused_with_its_line_and_the_way_out(
    folder: Folder, text: str, line: int, says: str
) -> None:
    path = folder.template(text)
    problem = folder.problems(folder.entry(replicas=1))[0]
    assert problem.file == str(path)
    assert problem.line == line
    assert says in problem.message
    assert str(problem).startswith(f"{path}:{line}: ")


def test_an_error_shows_the_rendered_text_around_it(folder: Folder) -> None:
    folder.template(HEAD + "  name: {{ who }}\n  labels:\n    a: b\n")
    (problem,) = folder.problems(folder.entry(replicas=1, who="Big"))
    assert problem.message.split("\n")[1:] == [
        "       2 | kind: ConfigMap",
        "       3 | metadata:",
        "  >    4 |   name: Big",
        "       5 |   labels:",
        "       6 |     a: b",
        "    (rendered for iteration 1, replica 1)",
    ]


def test_the_line_is_the_templates_even_after_a_loop(folder: Folder) -> None:
    folder.template(
        CONFIGMAP + "{% for i in range(50) %}\n  a{{ i }}: b\n{% endfor %}\n  x: y: z\n"
    )
    assert folder.problems()[0].line == 9


def test_an_undefined_variable_names_its_entry_and_what_is_defined(folder: Folder) -> None:
    folder.template(HEAD + "  name: {{ nope }}\n")
    (problem,) = folder.problems(folder.entry(size="small"))
    assert "under inputVars of workloads[0].objects[0]" in problem.message
    assert problem.message.endswith(
        "containerPrefix, containerTag, iteration, namespace, replica, size, uuid, workload"
    )


def test_all_problems_of_all_templates_come_at_once(folder: Folder) -> None:
    folder.template(HEAD + "  name: {{ x }}{{ y }}\n", "a.yaml")
    folder.template("apiVersion: v1\nmetadata:\n  generateName: x\n", "b.yaml")
    folder.template("{{.x}}{{ nosuch 1 }}\n{{ other 1 }}", "c.yaml")
    entries = [folder.entry(name) for name in ("a.yaml", "b.yaml", "missing.yaml", "c.yaml")]
    found = folder.problems(*entries)
    names = [str(problem.file).rpartition("/")[2] for problem in found]
    assert names == ["a.yaml", "a.yaml", "b.yaml", "b.yaml", "workload.yaml", "c.yaml", "c.yaml"]


def test_a_template_used_twice_is_told_once(folder: Folder) -> None:
    folder.template("{{ x +")
    assert len(folder.problems(folder.entry(), folder.entry())) == 1


def test_a_missing_template_is_told_at_the_line_that_asks_for_it(folder: Folder) -> None:
    (problem,) = folder.problems(folder.entry("templates/vmi-ephemerl.yaml"))
    assert problem.file == str(folder.path / "workload.yaml")
    assert problem.line == 4
    assert problem.path == "workloads[0].objects[0].templateFile"
    assert "did you mean templates/vmi-ephemeral.yaml?" in problem.message
    assert str(folder.path / "templates/vmi-ephemerl.yaml") in problem.message
    assert "configmap.yaml, pod.yaml, vm-ephemeral.yaml" in problem.message


def test_a_folder_is_no_template(folder: Folder) -> None:
    (folder.path / "sub").mkdir()
    assert "is a folder" in folder.problems(folder.entry("sub"))[0].message


def test_a_template_that_is_not_utf_8_is_told_with_its_line(folder: Folder) -> None:
    (folder.path / "object.yaml").write_bytes(b"a: 1\nb: \xff\n")
    (problem,) = folder.problems()
    assert (problem.line, "UTF-8" in problem.message) == (2, True)


def test_a_template_beside_the_workload_comes_before_the_packaged_one(folder: Folder) -> None:
    (folder.path / "templates").mkdir()
    own = folder.template(CONFIGMAP, "templates/pod.yaml")
    assert folder.compile(folder.entry("templates/pod.yaml"))[0][0].path == own


@pytest.mark.parametrize("name", ["templates/pod.yaml", "pod.yaml", "./templates/pod.yaml"])
def test_a_packaged_template_is_found_by_its_name(folder: Folder, name: str) -> None:
    assert folder.compile(folder.entry(name))[0][0].kinds == (("v1", "Pod"),)


def test_a_name_cannot_climb_out_of_the_packaged_templates(folder: Folder) -> None:
    assert "is not there" in folder.problems(folder.entry("templates/../pyproject.toml"))[0].message


def test_a_flaw_of_the_last_replica_is_found_before_anything_is_created(folder: Folder) -> None:
    folder.template(HEAD + "  name: {{ 'Bad' if replica == 2000 else 'a' }}-{{ replica }}\n")
    (problem,) = folder.problems(folder.entry(replicas=2000))
    assert "replica 2000)" in problem.message


def test_a_flaw_in_the_middle_of_a_small_workload_is_found_too(folder: Folder) -> None:
    folder.template(HEAD + "  name: {{ 'Bad' if replica == 17 else 'a' }}-{{ replica }}\n")
    (problem,) = folder.problems(folder.entry(replicas=40))
    assert "replica 17)" in problem.message


def test_kinds_must_not_depend_on_the_replica(folder: Folder) -> None:
    kind = "{{ 'Secret' if replica == 2 else 'ConfigMap' }}"
    folder.template(f"apiVersion: v1\nkind: {kind}\nmetadata:\n  name: a-{{{{ replica }}}}\n")
    (problem,) = folder.problems()
    assert "renders to Secret for iteration 1, replica 2" in problem.message


def test_several_documents_become_several_objects(folder: Folder) -> None:
    folder.template(
        f"{CONFIGMAP}---\n# nothing here\n---\n{CONFIGMAP.replace('ConfigMap', 'Secret')}---\n"
    )
    ((factory,),) = folder.compile()
    assert factory.kinds == (("v1", "ConfigMap"), ("v1", "Secret"))
    assert [(r.kind, r.name) for r in factory.render(1, 2)] == [
        ("ConfigMap", "c-1-2"),
        ("Secret", "c-1-2"),
    ]


def test_a_request_carries_what_the_template_says(folder: Folder) -> None:
    folder.template(CONFIGMAP + "  a: '{{ uuid }} {{ workload }} {{ namespace }} {{ size }}'\n")
    ((factory,),) = folder.compile(folder.entry(size=3, namespace="density"))
    (request,) = factory.render(1, 2)
    assert (request.api_version, request.kind, request.name) == ("v1", "ConfigMap", "c-1-2")
    assert request.namespace is None
    assert factory.namespace(1) == "density-1"
    run_id = json.loads(request.body)["metadata"]["labels"][RUN_LABEL]
    assert json.loads(request.body)["data"]["a"] == f"{run_id} density density-1 3"


def test_a_namespace_of_the_template_is_the_requests(folder: Folder) -> None:
    folder.template(HEAD + "  name: a-{{ replica }}\n  namespace: {{ namespace }}-own\n")
    ((factory,),) = folder.compile()
    assert factory.render(1, 1)[0].namespace == "density-1-own"


def test_labels_are_merged_with_the_templates_own(folder: Folder) -> None:
    body = folder.manifest(HEAD + "  name: a-{{ replica }}\n  labels:\n    mine: '1'\n")
    labels = body["metadata"]["labels"]
    assert labels["mine"] == "1"
    assert labels[WORKLOAD_LABEL] == "density"
    assert labels[ITERATION_LABEL] == "1"
    assert set(labels) == {"mine", RUN_LABEL, WORKLOAD_LABEL, ITERATION_LABEL}


@pytest.mark.parametrize("inner", ["metadata: {labels: {a: b}}", "spec: {}", "metadata:"])
def test_labels_go_into_the_template_of_a_virtual_machine(folder: Folder, inner: str) -> None:
    body = folder.manifest(
        "apiVersion: kubevirt.io/v1\nkind: VirtualMachine\nmetadata:\n  name: a-{{ replica }}\n"
        f"spec:\n  template:\n    {inner}\n"
    )
    labels = body["spec"]["template"]["metadata"]["labels"]
    assert {RUN_LABEL, WORKLOAD_LABEL, ITERATION_LABEL} <= set(labels)
    assert ("a" in labels) == ("a: b" in inner)


def test_a_template_of_something_else_stays_as_it_is(folder: Folder) -> None:
    spec = {"template": {"body": "x"}}
    text = "apiVersion: x.io/v1\nkind: Mail\nmetadata:\n  name: a-{{ replica }}\n"
    assert folder.manifest(f"{text}spec: {json.dumps(spec)}\n")["spec"] == spec


def test_mappings_shared_by_an_alias_do_not_share_their_labels(folder: Folder) -> None:
    body = folder.manifest(
        HEAD + "  name: a-{{ replica }}\n  labels: &l {a: b}\nspec:\n  selector: *l\n"
    )
    assert body["spec"]["selector"] == {"a": "b"}


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("52:54:00:12:34:56", "52:54:00:12:34:56"),
        ("2026-01-31", "2026-01-31"),
        ("12e4567", "12e4567"),
        ("08", "08"),
        ("1.20.3", "1.20.3"),
        ("10Mi", "10Mi"),
        ("0x1F", 31),
        ("010", 8),
        ("1e3", 1000),
        ("2.0", 2),
        ("-0.0", 0),
        ("2.5", 2.5),
        ("{{ 4 / 2 }}", 2),
        ("-5", -5),
        ("yes", True),
        ("~", None),
    ],
)
def test_yaml_means_what_kubectl_takes_it_for(folder: Folder, written: str, read: object) -> None:
    text = f"{HEAD}  name: a-{{{{ replica }}}}\nvalue: {written}\n"
    value = folder.manifest(text)["value"]
    assert value == read
    assert type(value) is type(read)  # in JSON 2 and 2.0 are two texts


@pytest.mark.parametrize(
    ("version", "kind", "name"),
    [
        ("rbac.authorization.k8s.io/v1", "ClusterRole", "system:foo"),
        ("certificates.k8s.io/v1", "CertificateSigningRequest", "Some_Request"),
        ("certificates.k8s.io/v1beta1", "ClusterTrustBundle", "example.com:signer:Name"),
        ("apiregistration.k8s.io/v1", "APIService", "v1."),
        ("networking.k8s.io/v1", "IPAddress", "2001:db8::1"),
        ("v1", "Event", "Pod_x.17a"),
    ],
)
def test_names_that_are_path_segments_are_for_the_server_to_judge(
    folder: Folder, version: str, kind: str, name: str
) -> None:
    text = f"apiVersion: {version}\nkind: {kind}\nmetadata:\n  name: {name}\n"
    folder.template(text)
    folder.compile(folder.entry(replicas=1))
    folder.template(text.replace(name, f"{name}/x"))
    (problem,) = folder.problems(folder.entry(replicas=1))
    assert "cannot be part of a URL" in problem.message


IMAGE = (
    HEAD + "  name: a-{{ replica }}\nimage: {{ containerPrefix }}/{{ img }}:{{ containerTag }}\n"
)
GO_IMAGE = HEAD + "  name: a-{{.replica}}\nimage: {{.containerPrefix}}/{{.img}}:{{.containerTag}}\n"


@pytest.mark.parametrize("text", [IMAGE, GO_IMAGE])
@pytest.mark.parametrize(
    ("given", "image"),
    [
        ({}, "registry:5000/kubevirt/c:devel"),
        ({"containerPrefix": "", "containerTag": ""}, "registry:5000/kubevirt/c:devel"),
        ({"containerPrefix": "a:5/b"}, "a:5/b/c:devel"),
        ({"containerPrefix": "a:5/b/"}, "a:5/b/c:devel"),
        ({"containerPrefix": "a:5/b//"}, "a:5/b/c:devel"),
        ({"containerPrefix": "/"}, "registry:5000/kubevirt/c:devel"),
        ({"containerTag": "v1.20"}, "registry:5000/kubevirt/c:v1.20"),
    ],
)
def test_the_image_never_has_two_slashes(
    folder: Folder, text: str, given: dict[str, Any], image: str
) -> None:
    assert folder.manifest(text, {"img": "c", **given})["image"] == image


def test_a_template_that_counts_on_the_prefixs_slash_gets_it(folder: Folder) -> None:
    text = HEAD + "  name: a-{{.replica}}\nimage: {{.containerPrefix}}{{.img}}\n"
    assert folder.manifest(text, {"img": "c", "containerPrefix": "r/k/"})["image"] == "r/k/c"


def test_defaults_with_a_slash_give_no_second_one(folder: Folder) -> None:
    defaults = TemplateDefaults("a/b/", "t")
    assert folder.manifest(IMAGE, {"img": "c"}, defaults=defaults)["image"] == "a/b/c:t"


@pytest.mark.parametrize(
    ("option", "environ", "prefix"),
    [
        ("o", {"DOCKER_PREFIX": "e"}, "o"),
        (None, {"DOCKER_PREFIX": "e"}, "e"),
        ("", {"DOCKER_PREFIX": "e"}, "e"),
        (None, {"DOCKER_PREFIX": ""}, "registry:5000/kubevirt"),
        (None, {}, "registry:5000/kubevirt"),
    ],
)
def test_the_option_comes_before_the_environment(
    option: str | None, environ: dict[str, str], prefix: str
) -> None:
    assert TemplateDefaults.from_environment(option, environ=environ).container_prefix == prefix


def test_the_tag_comes_from_its_own_variable() -> None:
    environ = {"DOCKER_TAG": "t1"}
    assert TemplateDefaults.from_environment(environ=environ).container_tag == "t1"
    assert TemplateDefaults.from_environment(environ={}).container_tag == "devel"


def test_the_old_tools_template_renders_unchanged(folder: Folder) -> None:
    body = folder.manifest(
        """
        apiVersion: kubevirt.io/v1
        kind: VirtualMachineInstance
        metadata:
          name: old-{{.iteration}}-{{.replica}}
          namespace: {{.namespace}}
        spec:
          domain: {cpu: {dedicated: {{ .on }}}}
          volumes:
          - containerDisk:
              image: {{.containerPrefix}}/{{.containerImg}}:{{.containerTag}}
            name: disk0
          - cloudInitNoCloud:
              userData: |
                #!/bin/sh
                echo ${#list[@]} {% not a block
            name: disk1
        """,
        {"containerImg": "cirros", "namespace": "old", "containerPrefix": "r/k/", "on": True},
    )
    assert body["metadata"]["namespace"] == "old-1"
    assert body["spec"]["domain"] == {"cpu": {"dedicated": True}}
    assert body["spec"]["volumes"][0]["containerDisk"]["image"] == "r/k/cirros:devel"
    script = body["spec"]["volumes"][1]["cloudInitNoCloud"]["userData"]
    assert script == "#!/bin/sh\necho ${#list[@]} {% not a block\n"


def test_a_replica_that_fails_later_is_a_template_error(folder: Folder) -> None:
    folder.template(HEAD + "  name: {{ 'Bad' if replica == 5000 else 'a' }}-{{ replica }}\n")
    ((factory,),) = folder.compile(folder.entry(replicas=10_000))
    with pytest.raises(TemplateError, match="replica 5000"):
        factory.render(1, 5000)

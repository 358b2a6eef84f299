"""`perfscale index` and `run --index`: results in a search engine, and what becomes of errors."""

import json
import signal
from pathlib import Path

import pytest
import yaml
from command_line import CommandLine
from scripted_server import answers, scripted_server
from search_engine import SearchEngine
from workload_file import entry, write_workload

RUN = ("run", "workload.yaml", "--simulate", "--speed", "50", "--quiet")
MEASURED = {"vmiLatencyMeasurement": 3, "vmiLatencyQuantilesMeasurement": 5, "jobSummary": 1}


def metrics(engine: SearchEngine) -> dict[str, int]:
    names = [each["metricName"] for each in engine.documents.values()]
    return {name: names.count(name) for name in names}


async def test_a_run_is_indexed_and_its_folder_later_is_nothing_new(
    perfscale: CommandLine, engine: SearchEngine
) -> None:
    write_workload(perfscale.folder, entry("vmi-ephemeral.yaml", 3, "index"))
    ended = await perfscale.beside(*RUN, "--index", engine.url, "--export", "kube-burner")
    assert ended.code == 0, ended.err
    assert metrics(engine) == MEASURED
    assert f"9 documents indexed in kube-burner at {engine.url}" in ended.err
    (folder,) = perfscale.results
    (collected,) = folder.glob("collected-metrics-*")
    everything = list((perfscale.folder / "results").iterdir())  # the run, and latest
    ended = await perfscale.beside("index", *map(str, everything), "--url", engine.url)
    assert (len(everything), ended.out.count("9 documents indexed")) == (2, 1)
    tarball = folder / "kube-burner-metrics.tgz"
    sources = ("latest", folder / "summary.json", collected, tarball)
    ended = await perfscale.beside("index", *map(str, sources), "--url", engine.url, "--gzip")
    assert ended.code == 0, ended.err
    lines = ended.out.splitlines()
    assert len(lines) == len(sources)
    assert all("9 documents indexed (0 new, 9 there before)" in line for line in lines)
    assert metrics(engine) == MEASURED


async def test_documents_that_are_refused_are_exit_code_1_with_the_reason(
    perfscale: CommandLine, engine: SearchEngine, tmp_path: Path
) -> None:
    (tmp_path / "metrics").mkdir()
    documents = [{"metricName": "x", "value": number} for number in range(4)]
    (tmp_path / "metrics" / "x.json").write_text(json.dumps(documents))
    engine.refuses = lambda each: "it is odd" if each["value"] % 2 else None
    options = ("--url", engine.url, "--index-name", "mine")
    ended = await perfscale.beside("index", str(tmp_path / "metrics"), *options)
    assert ended.code == 1
    assert "2 documents indexed, 2 refused in mine" in ended.out
    assert "error: 2 documents refused: mapper_parsing_exception: it is odd" in ended.err


async def test_a_wrong_address_is_found_before_anything_is_created(perfscale: CommandLine) -> None:
    write_workload(perfscale.folder, entry("vmi-ephemeral.yaml", 1, "index"))
    async with scripted_server(answers({}, status=404)) as other:
        ended = await perfscale.beside(*RUN, "--index", other.url)
    assert ended.code == 4
    assert "does not answer as OpenSearch or Elasticsearch does" in ended.err
    assert perfscale.results == []


async def test_a_server_that_is_lost_meanwhile_loses_no_results(perfscale: CommandLine) -> None:
    write_workload(perfscale.folder, entry("vmi-ephemeral.yaml", 1, "index"))
    welcome = answers({"version": {"number": "2.19.1", "distribution": "opensearch"}})
    async with scripted_server(welcome, answers({}, status=401)) as server:
        ended = await perfscale.beside(*RUN, "--index", server.url)
    assert ended.code == 4
    assert "wants credentials" in ended.err
    (folder,) = perfscale.results
    assert f"perfscale index {Path('results') / folder.name} --url {server.url}" in ended.err
    assert json.loads((folder / "summary.json").read_text())["outcome"] == "passed"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("index", "x"), "missing option '--url'"),
        (("index", "x", "--url", "search:9200"), "the index: this is not a URL that begins with"),
        (("index", "x", "--url", "http://s", "--index-name", "Mine"), "--index-name: 'Mine'"),
        (("index", "not-there", "--url", "http://s"), "not-there: there is no such"),
        ((*RUN, "--index", "http://s", "--index-name", "a b"), "--index-name: 'a b'"),
    ],
)
def test_what_is_wrong_in_the_command_line_is_said(
    perfscale: CommandLine, arguments: tuple[str, ...], said: str
) -> None:
    write_workload(perfscale.folder, entry("vmi-ephemeral.yaml", 1, "index"))
    ended = perfscale(*arguments)
    assert ended.code == 2, ended.err
    assert said in ended.err


async def test_the_workload_file_says_where_documents_go_and_options_go_before_it(
    perfscale: CommandLine, engine: SearchEngine
) -> None:
    write_workload(perfscale.folder, entry("vmi-ephemeral.yaml", 1, "index"))
    file = perfscale.folder / "workload.yaml"
    load = yaml.safe_load(file.read_text())
    index = {"url": "http://127.0.0.1:9", "name": "Mine"}
    load["globalConfig"] = {"export": "kube-burner", "index": index}
    file.write_text(yaml.safe_dump(load, sort_keys=False))
    ended = await perfscale.beside(*RUN)
    assert ended.code == 2
    assert "globalConfig.index.name: 'Mine' is no name of an index" in ended.err
    assert ended.err.startswith("error: workload.yaml:")
    ended = await perfscale.beside(*RUN, "--index-name", "kube-burner")
    assert (ended.code, "http://127.0.0.1:9" in ended.err) == (4, True)
    ended = await perfscale.beside(*RUN, "--index", engine.url)
    assert ended.code == 0, ended.err
    assert metrics(engine)["jobSummary"] == 1
    assert list(perfscale.results[0].glob("collected-metrics-*"))


def test_a_server_that_is_not_there_is_said_to_be_tried_again_and_for_how_long(
    perfscale: CommandLine, tmp_path: Path
) -> None:
    (tmp_path / "metrics").mkdir()
    (tmp_path / "metrics" / "x.json").write_text('[{"metricName": "x", "value": 1}]')
    with perfscale.start("index", tmp_path / "metrics", "--url", "http://127.0.0.1:9") as running:
        running.says("http://127.0.0.1:9 cannot be reached: connection refused; trying again")
        running.signal(signal.SIGINT)
        ended = running.ends()
    assert ended.err.count("trying again for up to 2m") == 1

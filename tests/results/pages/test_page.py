"""The page of a run, as text: what it is made from, and what it says of what is missing."""

import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from journals import begins, killed_run
from run_folders import VMI, finished_run, refused, restart, vmi

from perfscale.errors import ResultsError
from perfscale.results import rebuild_results
from perfscale.results.pages import write_page
from perfscale.results.pages.figures import COLOURS

EVIL = "<script>alert(1)</script>\"'"


class Text(HTMLParser):
    """The text of a page, and its elements."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.text = ""
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += f"{data} "


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "density-20260102T030405Z-1234"


def page_of(folder: Path) -> str:
    path = write_page(folder)
    assert path == folder / "report.html"
    assert not [each for each in folder.iterdir() if each.name.startswith(".")]
    return path.read_text(encoding="utf-8")


def headline(page: str) -> dict[str, str | None]:
    return {
        str(attributes["data-key"]): attributes["value"]
        for _, attributes in Text(page).elements
        if "data-key" in attributes
    }


def looked_up(summary: Any, key: str) -> Any:
    for part in key.split("."):
        summary = summary[int(part) if isinstance(summary, list) else part]
    return summary


def test_the_headline_has_the_numbers_of_the_summary(folder: Path) -> None:
    lives = [vmi(number, sent_s=number / 10, ready_after_s=1 + number) for number in range(9)]
    page = page_of(finished_run(folder, [*lives, refused(9, "no room")], requested=10))
    summary = json.loads((folder / "summary.json").read_text())
    told = headline(page)
    assert {f"objects.{name}" for name in ("ready", "requested", "failed")} < told.keys()
    assert f"workloads.0.kinds.{VMI}.phases.Ready.p99" in told
    assert told == {key: str(looked_up(summary, key)) for key in told}
    text = " ".join(Text(page).text.split())
    assert "objects ready 9 of 10 failed 1 seen gone 9" in text
    assert "not reached" in text  # the p99: one never became ready


def test_the_same_files_make_the_same_page(folder: Path) -> None:
    finished_run(folder, [vmi(1), vmi(2, sent_s=1.0)], requested=2)
    assert page_of(folder) == page_of(folder)


def test_whatever_a_cluster_says_is_text(folder: Path) -> None:
    phases = {EVIL: 0.5, "Running": 2.0}
    lives = [vmi(1, name=EVIL, phases_s=phases), refused(2, f"denied: {EVIL}", name=EVIL)]
    finished_run(folder, lives, requested=2, outcome="failed", problems=[f"problem {EVIL}"])
    page = page_of(folder)
    assert EVIL not in page
    parsed = Text(page)
    assert f"VirtualMachineInstance density-1/{EVIL}" in parsed.text
    assert f"denied: {EVIL}" in parsed.text
    assert f"problem {EVIL}" in parsed.text
    scripts = [attributes for tag, attributes in parsed.elements if tag == "script"]
    assert [each for each in scripts if each.get("type") != "application/json"] == [{}]


def test_the_page_asks_for_nothing(folder: Path) -> None:
    page = page_of(finished_run(folder, [vmi(1)], requested=1))
    assert "default-src 'none'" in page
    assert not re.search(r"""(src|href|action)=["'](?!#)|url\(|@import""", page)


def test_a_run_that_was_killed_has_a_page_too(folder: Path) -> None:
    killed_run(folder, begins())
    rebuild_results(folder)
    text = Text(page_of(folder)).text
    assert "the run was killed" in text
    assert "before the server answered" in text


def test_a_run_that_created_nothing_has_a_page_too(folder: Path) -> None:
    finished_run(folder, [], requested=2, duration_s=0.0, outcome="interrupted")
    assert "interrupted" in Text(page_of(folder)).text


def test_without_records_the_page_shows_the_summary_and_says_so(folder: Path) -> None:
    finished_run(folder, [vmi(1)], requested=1)
    for name in ("objects", "timeseries", "journal"):
        (folder / f"{name}.ndjson").unlink()
    for name in ("run.json", "workload.yaml"):
        (folder / name).unlink()
    page = page_of(folder)
    assert "no records of single objects" in Text(page).text
    assert "<figure" not in page
    assert "Scheduled" in page


def test_a_run_that_sent_no_more_than_a_burst_says_so_in_place_of_a_rate(tmp_path: Path) -> None:
    folder = finished_run(tmp_path / "run", [vmi(1, sent_s=0.0)], requested=1)
    text = " ".join(Text(write_page(folder).read_text()).text.split())
    assert "no rate no iteration sent more than its burst, 1 at once" in text


@pytest.mark.parametrize(
    ("verdict", "said"),
    [
        ("generator-limited", "The generator was the limit: how"),
        ("generator-lost", "INVALID: generator 1 (worker b) was lost: it was silent; see each"),
        ("uncertain", "Percentiles are uncertain, as not everything was seen in time: which"),
    ],
)
def test_the_head_says_what_is_doubtful(verdict: str, said: str, tmp_path: Path) -> None:
    folder = finished_run(tmp_path / "run", [vmi(1, sent_s=0.0)], requested=1)
    path = folder / "summary.json"
    summary = json.loads(path.read_text())
    lag = {"count": 0, "mean": None, "p50": None, "p99": None, "max": None}
    summary["generator"] = {
        "verdict": verdict, "reasons": ["generator 1 (worker b) was lost: it was silent"],
        "loopLag": lag, "limiterLag": lag, "sendLag": lag,
        "inFlight": {"limit": 1, "max": 1, "mean": None},
    }  # fmt: skip
    path.write_text(json.dumps(summary))
    assert said in " ".join(Text(write_page(folder).read_text()).text.split())


def without_a_summary(folder: Path) -> str:
    (folder / "summary.json").unlink()
    return ": it has no summary.json"


def with_a_summary_that_is_cut_off(folder: Path) -> str:
    path = folder / "summary.json"
    path.write_text(path.read_text()[:100])
    return "/summary.json: it is not JSON"


def with_a_summary_of_something_else(folder: Path) -> str:
    (folder / "summary.json").write_text('{"schemaVersion": 1}')
    return "/summary.json: it is not the summary of a run"


def with_a_summary_from_the_future(folder: Path) -> str:
    (folder / "summary.json").write_text('{"schemaVersion": 99}')
    return "/summary.json: its schemaVersion is 99"


def with_a_record_that_is_none(folder: Path) -> str:
    with (folder / "objects.ndjson").open("a") as file:
        file.write('{"kind": 7}\n')
    return "/objects.ndjson:2: it cannot be understood"


@pytest.mark.parametrize(
    "spoil",
    [
        without_a_summary,
        with_a_summary_that_is_cut_off,
        with_a_summary_of_something_else,
        with_a_summary_from_the_future,
        with_a_record_that_is_none,
    ],
)
def test_what_cannot_be_read_is_named(spoil: Callable[[Path], str], folder: Path) -> None:
    finished_run(folder, [vmi(1)], requested=1)
    told_of = spoil(folder)
    with pytest.raises(ResultsError) as caught:
        write_page(folder)
    assert f"{folder}{told_of}" in str(caught.value)
    assert not (folder / "report.html").exists()


def test_a_page_that_cannot_be_written_is_said(folder: Path) -> None:
    finished_run(folder, [vmi(1)], requested=1)
    (folder / "report.html").mkdir()
    with pytest.raises(ResultsError, match=r"report\.html: it cannot be written"):
        write_page(folder)


def test_a_folder_without_a_summary_names_the_command_that_makes_it(folder: Path) -> None:
    killed_run(folder, begins())
    with pytest.raises(ResultsError) as caught:
        write_page(folder)
    assert caught.value.hint == f"perfscale report {folder} makes it"


LATENCY: dict[str, Any] = {
    "count": 9, "missing": 1, "min": 0.1, "p50": 0.2, "p90": 0.3, "p95": 0.4, "p99": None,
    "p99.9": None, "max": None, "mean": None,
}  # fmt: skip
MEASURED: dict[str, Any] = {
    "thresholds": [
        {
            "workload": None, "metric": "vmiReady", "quantile": "p50", "bound": "max", "limit": 30,
            "unit": "seconds", "value": 2.0, "passed": True, "missedBy": None,
            "text": "vmiReady p50 2.000 s is within its 30 s",
        },
        {
            "workload": None, "metric": "apiErrors", "quantile": None, "bound": "max", "limit": 0,
            "unit": "count", "value": 7.0, "passed": False, "missedBy": 7.0,
            "text": "apiErrors 7 is above its 0",
        },
    ],
    "clock": {
        "offsetSeconds": -1.5, "uncertaintySeconds": 0.25, "consistent": True,
        "lowSeconds": -1.75, "highSeconds": -1.25,
    },
    "calls": [
        {
            "verb": "create", "resource": "virtualmachineinstances", "sent": 1234, "timeouts": 2,
            "statuses": {"201": 1200, "429": 32}, "connectionErrors": 3, "retries": 34,
            "throttledSeconds": 6.25, "latency": LATENCY,
        }
    ],
    "generator": {
        "verdict": "generator-limited", "reasons": ["the event loop was 0.9 s late"],
        "loopLag": {"count": 1200, "mean": 0.01, "p50": 0.001, "p99": 0.9, "max": 1.5},
        "limiterLag": {"count": 7, "mean": 0.2, "p50": 0.1, "p99": 0.3, "max": 0.4},
        "sendLag": dict.fromkeys(("mean", "p50", "p99", "max")) | {"count": 0},
        "inFlight": {"limit": 256, "max": 200, "mean": 31.5},
    },
}  # fmt: skip
OF_A_KIND: dict[str, Any] = {
    "transitions": [{"from": "Pending", "to": "Scheduling", **LATENCY}],
    "serverPhases": {"Running": LATENCY},
    "watchDelay": {"atLeast": LATENCY, "atMost": LATENCY},
}


def test_what_else_was_measured_is_shown_where_it_was(folder: Path) -> None:
    finished_run(folder, [vmi(1)], requested=1)
    for absent in ("Thresholds", "The generator itself", "server's clock"):
        assert absent not in page_of(folder)
    path = folder / "summary.json"
    summary = json.loads(path.read_text()) | MEASURED
    summary["workloads"][0]["kinds"][VMI] |= OF_A_KIND
    path.write_text(json.dumps(summary))
    text = " ".join(Text(page_of(folder)).text.split())
    for told in (
        "met vmiReady p50 2.000 s is within its 30 s",
        "missed apiErrors 7 is above its 0",
        "The server's clock was -1.500 s from this one, give or take 0.250 s.",
        "virtualmachineinstances 1,234 0.200 not reached not reached 201: 1,200, 429: 32 5 34",
        "generator-limited : what made the load was its limit",
        "the event loop was 0.9 s late",
        "event loop 0.001 0.900 1.500 0.010 1,200 rate limit and in-flight bound 0.100",
        "200 creates were in flight at most, of 256 that were allowed; 31.5 on average",
        "Pending to Scheduling 9 1 0.100 0.200",
        "by the cluster's own timestamps",
        "how late the watch showed new objects",
    ):
        assert told in text


def test_servers_with_different_clocks_are_told_of(folder: Path) -> None:
    finished_run(folder, [vmi(1)], requested=1)
    path = folder / "summary.json"
    clock = {**MEASURED["clock"], "consistent": False}
    path.write_text(json.dumps(json.loads(path.read_text()) | {"clock": clock}))
    text = " ".join(Text(page_of(folder)).text.split())
    assert "They were between -1.750 s and -1.250 s from this one." in text


def test_what_an_audit_found_is_shown_with_how_it_went_over_time(folder: Path) -> None:
    finished_run(folder, [vmi(1)], requested=1)
    assert "Prometheus" not in page_of(folder)
    values = {
        "p95": {"value": 17.5, "unit": "seconds", "limit": 10.0, "exceeded": True},
        "CREATE-pods-count": {"value": 1234.5, "unit": "requests"},
    }
    span = {
        "start": "2026-01-02T03:04:05Z", "end": "2026-01-02T03:04:35Z", "rangeSeconds": 45,
        "withoutData": [],
    }  # fmt: skip
    met = {"p95": {"value": 8.0, "unit": "seconds", "limit": 10.0}}
    workload = {**span, "name": EVIL, "values": met}
    queues = [
        {
            "name": f"queue {number}",
            "unit": "items",
            "points": [[-0.5, 9], [1.0, number], [2, None]],
        }
        for number in range(12)
    ]
    audit = {
        "prometheus": "http://127.0.0.1:9090", "profile": "kubevirt", "scrapeIntervalSeconds": 15.0,
        "problems": ["p95 17.5 seconds, above 10"], "notes": ["no data: etcd"],
        "total": {**span, "values": values}, "workloads": [workload], "series": queues,
        "dataUntil": None, "exitCode": 3,
    }  # fmt: skip
    (folder / "audit.json").write_text(json.dumps(audit))
    page = page_of(folder)
    text = " ".join(Text(page).text.split())
    for told in (
        "http://127.0.0.1:9090, profile kubevirt, scraped every 15 s.",
        "p95 17.5 seconds, above 10",
        "no data: etcd",
        f"result whole run {EVIL} unit at most p95 17.5 8 seconds 10 CREATE-pods-count 1,234.5",
        "Prometheus: items",
        "The 4 lowest series are in audit.json.",
    ):
        assert told in text
    assert EVIL not in page
    assert "queue 11" in text
    assert "queue 3" not in text
    (folder / "audit.json").write_text(json.dumps(audit | {"total": None, "workloads": []}))
    assert "Prometheus: items" in page_of(folder)
    before = [{"name": "queue", "unit": "items", "points": [[-0.5, 9]]}]
    (folder / "audit.json").write_text(json.dumps(audit | {"series": before}))
    assert "Prometheus: items" not in page_of(folder)


def changed(folder: Path, **summary: Any) -> Path:
    """The folder of a run whose summary says something else."""
    path = folder / "summary.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **summary}))
    return folder


SPAN = {"beganSeconds": 2.0, "endedSeconds": 5.0}
BLIND = {"cause": "watch", "kind": VMI, "namespace": None, **SPAN}
GONE = {"what": "server", "name": "", "retries": 7, "creates": 3, **SPAN}


def test_outages_and_blind_spans_are_told_and_marked_on_every_plot_over_time(folder: Path) -> None:
    run = finished_run(folder, [vmi(each, sent_s=each) for each in range(9)], requested=9)
    page = page_of(changed(run, outages=[GONE], blindSpans=[BLIND]))
    text = " ".join(Text(page).text.split())
    assert "the API server was gone from 2.0 s to 5.0 s after the start (3s)" in text
    assert f"nothing was seen of {VMI} from 2.0 s to 5.0 s" in text
    figures = page.split("<figure")[1:]
    over_time = [each for each in figures if "seconds since the run&#39;s start" in each]
    assert len(over_time) == 5
    for figure in over_time:
        assert figure.count('class="band blind"') == figure.count('class="band outage"') == 2


CONFIGURED = {
    "featureGates": ["Snapshot"],
    "disabledFeatureGates": [],
    "migrations": {"parallelMigrationsPerCluster": 5},
    "clientLimits": {"controller": {"qps": 200.0, "burst": 400}},
}


def test_the_head_says_how_kubevirt_is_configured(folder: Path) -> None:
    run = finished_run(folder, [vmi(1)], requested=1)
    cluster = json.loads((run / "summary.json").read_text())["cluster"]
    configured = {**cluster, "kubevirt": "v1.9.0", "kubevirtConfig": CONFIGURED}
    text = " ".join(Text(page_of(changed(run, cluster=configured))).text.split())
    assert ", KubeVirt v1.9.0, run" in text
    assert (
        "KubeVirt has feature gates Snapshot; migrations.parallelMigrationsPerCluster 5; "
        "client limit (controller) 200 QPS, burst 400"
    ) in text


HOOK = {
    "when": "afterReady",
    "workload": "density",
    "iteration": 1,
    "command": ["kubectl", "get", "nodes"],
    "background": False,
    "exitCode": 3,
    "problem": "it ended with exit code 3",
    "output": "hooks/1-afterReady.log",
    "leftOut": 0,
    **SPAN,
}


def test_hooks_are_listed_and_marked_on_every_plot_over_time(folder: Path) -> None:
    run = finished_run(folder, [vmi(each, sent_s=each) for each in range(9)], requested=9)
    page = page_of(changed(run, hooks=[HOOK, {**HOOK, "background": True}]))
    text = " ".join(Text(page).text.split())
    assert "afterReady kubectl get nodes : it ended with exit code 3" in text
    assert "density, iteration 1 2.000 5.000 3 hooks/1-afterReady.log" in text
    figures = page.split("<figure")[1:]
    over_time = [each for each in figures if "seconds since the run&#39;s start" in each]
    assert len(over_time) == 5
    for figure in over_time:
        assert figure.count('class="band hook"') == figure.count('class="band beside"') == 2


def test_operations_stand_as_creates_do(folder: Path) -> None:
    restarts = [restart(number, effect_s=4.0 + number) for number in range(1, 20)]
    refusal = restart(20, answered_s=None, done_s=None, milestones={}, error="409: not running")
    lives = [vmi(number, sent_s=number / 10) for number in range(9)]
    page = page_of(finished_run(folder, [*lives, *restarts, refusal], requested=9))
    summary = json.loads((folder / "summary.json").read_text())
    told = headline(page)
    place = "workloads.1.operations.0"
    assert told[f"{place}.operations.done"] == "19"
    assert {f"{place}.operations.failed", f"{place}.effect.p50"} < told.keys()
    assert told == {key: str(looked_up(summary, key)) for key in told}
    text = " ".join(Text(page).text.split())
    assert "restarts: restart of VirtualMachine 20 requested, 19 done, 1 failed" in text
    assert re.search(r"seconds count missing .* response 19 1 0\.050", text)
    assert "effect 19 1 5.000" in text
    assert "time in Gone 19 0 " in text
    assert "1 VirtualMachine failed to restart 409: not running" in text


def test_each_workload_has_one_colour_wherever_it_is(folder: Path) -> None:
    lives = [vmi(number, sent_s=number / 10) for number in range(30)]
    restarts = [restart(number) for number in range(1, 30)]
    page = page_of(finished_run(folder, [*lives, *restarts], requested=30))
    figures = {each.split('"')[0]: each for each in page.split('<figure class="plot" id="')[1:]}
    beside = ("workload-rate", "workload-done", "latency-over-time-p50", "latency-over-time-p99")
    for key in beside:
        legend = re.findall(r'class="\w+ (c\d+)" d="[^"]*"/></svg>([^<]+)<', figures[key])
        assert legend == [("c0", "density"), ("c1", "restarts (restart)")]
    assert "restarts (restart): offered, sent and accepted rate" in figures["rate-2"]
    assert "density: offered" not in page  # the creates of all are the first plot
    assert "Creates: offered, sent and accepted rate" in figures["rate"]


def test_a_phase_has_one_colour_wherever_it_is(folder: Path) -> None:
    lives = [vmi(each, sent_s=each) for each in range(9)]
    page = page_of(finished_run(folder, lives, requested=9))
    legend = re.findall(r'class="(?:stack|lines) (c\d+)" d="[^"]*"/></svg>([^<]+)<', page)
    colours: dict[str, set[str]] = {}
    for colour, name in legend:
        colours.setdefault(name, set()).add(colour)
    assert {len(colours[name]) for name in ("Pending", "Scheduling", "Scheduled")} == {1}
    assert len({colour for name in PHASES for colour in colours[name]}) == len(PHASES)


PHASES = ("Pending", "Scheduling", "Scheduled", "Running")


def test_the_slowest_objects_have_a_legend_in_the_order_of_the_phases(folder: Path) -> None:
    unseen = {"Scheduling": 4.0, "Scheduled": 12.0, "Running": 20.0}  # and never in Pending
    slowest = vmi(1, ready_after_s=20.0, phases_s=unseen)
    page = page_of(finished_run(folder, [slowest, vmi(2)], requested=2))
    _, _, section = page.partition("Slowest objects")
    legend, _, _ = section.partition("</ul>")
    names = re.findall(r"</svg>([^<]+)<", legend)
    assert names == ["create request", "created", "Pending", "Scheduling", "Scheduled"]


def luminance(colour: str) -> float:
    """Of ``#rrggbb`` or ``#rgb``: https://www.w3.org/TR/WCAG22/#dfn-relative-luminance."""
    digits = colour[1:] if len(colour) == 7 else "".join(2 * digit for digit in colour[1:])
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
        for part in (int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4))
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_every_line_of_a_plot_shows_on_a_light_page_and_on_a_dark_one(folder: Path) -> None:
    page = page_of(finished_run(folder, [vmi(1)], requested=1))
    light, dark = (
        dict(re.findall(r"--(\w+): (#\w+);", block))
        for block in re.findall(r":root \{([^}]*)\}", page)
    )
    for colours in (light, light | dark):
        background = luminance(colours["page"])
        for number in range(COLOURS):
            brightness = sorted((background, luminance(colours[f"c{number}"])))
            assert (brightness[1] + 0.05) / (brightness[0] + 0.05) > 2.2, (number, colours)


def test_a_simulated_cluster_is_said_in_the_head(folder: Path) -> None:
    run = finished_run(folder, [vmi(1, sent_s=0.0)], requested=1)
    assert "own, so the numbers" not in Text(page_of(run)).text
    cluster = json.loads((run / "summary.json").read_text())["cluster"]
    page = page_of(changed(run, cluster={**cluster, "version": "v1.32.0+perfscale"}))
    assert "own, so the numbers are no real cluster's" in Text(page).text


def test_the_command_that_removes_what_is_left_is_there_where_something_is(folder: Path) -> None:
    run = finished_run(folder, [vmi(1, sent_s=0.0)], requested=1)
    path, command = run / "run.json", "perfscale cleanup --run-id 1234 --context lab"
    path.write_text(json.dumps({**json.loads(path.read_text()), "cleanup": command}))
    assert command not in Text(page_of(run)).text
    objects = json.loads((run / "summary.json").read_text())["objects"]
    page = page_of(changed(run, objects={**objects, "created": 1, "deleted": 0}))
    assert command in Text(page).text

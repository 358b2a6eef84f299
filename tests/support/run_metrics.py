"""The metrics that a run serves, and the dashboard that shows them."""

from __future__ import annotations

import json
import re
import urllib.request
from pathlib import Path
from typing import Any, Final

from command_line import Running
from exposition import Page
from patience import PATIENCE_S

DASHBOARD: Final = Path(__file__).parents[2] / "examples" / "grafana" / "perfscale-run.json"
_ADDRESS: Final = re.compile(r"^metrics +(http://127\.0\.0\.1:\d+/metrics)$", re.MULTILINE)


def metrics_address(run: Running) -> str:
    """Where a run serves them, once its header says so."""
    run.reaches(lambda: _ADDRESS.search(run.err) is not None, "the address of the metrics")
    found = _ADDRESS.search(run.err)
    assert found is not None
    return found[1]


def scrape(url: str) -> Page:
    """What is served there now."""
    with urllib.request.urlopen(url, timeout=PATIENCE_S) as answer:  # noqa: S310 -- our own, by http
        return Page(answer.read().decode())


def dashboard_queries() -> dict[str, str]:
    """The queries of the dashboard, by the panel's title and a letter."""
    dashboard: Any = json.loads(DASHBOARD.read_text(encoding="utf-8"))
    return {
        f"{panel['title']} {target['refId']}": target["expr"]
        for panel in dashboard["panels"]
        for target in panel["targets"]
    }

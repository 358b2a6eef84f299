"""The project's habits, each a session; `nox` alone runs what has to pass before a merge.

The tests come last, so that what a person reads at the end is their summary.
"""

from __future__ import annotations

import os
import shutil

import nox

nox.needs_version = ">=2025.2.9"
nox.options.reuse_venv = "yes"
nox.options.error_on_missing_interpreters = True
nox.options.sessions = ["lint", "layers", "typing", "tests"]

# More at a time than a machine may have cores: tests mostly wait, for a process or for a cluster.
# Some take a thousand times as long as others, so whoever is done takes from who is not.
IN_PARALLEL = ("--numprocesses=4", "--dist=worksteal")

PYPROJECT = nox.project.load_toml("pyproject.toml")


def install_group(session: nox.Session, group: str) -> None:
    """Install the requirements of one of pyproject.toml's dependency groups."""
    session.install(*nox.project.dependency_groups(PYPROJECT, group))


@nox.session
def lint(session: nox.Session) -> None:
    """Check rules and formatting; `nox -s lint -- --fix` repairs what can be repaired."""
    install_group(session, "lint")
    if session.posargs == ["--fix"]:
        session.run("ruff", "check", "--fix")
        session.run("ruff", "format")
    else:
        session.run("ruff", "check")
        session.run("ruff", "format", "--check")


@nox.session
def layers(session: nox.Session) -> None:
    """Check that imports between the rooms point one way."""
    install_group(session, "layers")
    # The imports are read, not run, so nothing that they need is installed.
    session.run("lint-imports", "--no-cache", env={"PYTHONPATH": "src"})


@nox.session
def typing(session: nox.Session) -> None:
    """Check the types of the package, its tests and its benchmarks."""
    install_group(session, "typing")
    session.install("-e", ".", "nox")
    session.run("mypy")


@nox.session
def tests(session: nox.Session) -> None:
    """Run the tests against the package as people install it, from a wheel.

    Several at a time; `nox -s tests -- -n 0` runs one after the other.
    """
    install_group(session, "test")
    session.install(".")
    session.run("pytest", *IN_PARALLEL, *session.posargs)


@nox.session(default=False)
def docs(session: nox.Session) -> None:
    """Run only the checks of what the documentation says; `tests` has them too."""
    install_group(session, "test")
    session.install(".")
    session.run("pytest", "tests/docs", *session.posargs)


@nox.session(default=False)
def site(session: nox.Session) -> None:
    """Build the site of the documentation in build/site/html; a broken link fails it."""
    install_group(session, "site")
    session.install(".")
    sources, pages = "build/site/source", "build/site/html"
    shutil.rmtree(pages, ignore_errors=True)
    session.run("python", "docs/site/site_sources.py", sources)
    strictly = ("--fail-on-warning", "--keep-going", "--nitpicky", "--fresh-env")
    session.run("sphinx-build", *strictly, "--conf-dir=docs/site", sources, pages)
    session.run("python", "docs/site/elsewhere.py", pages)


@nox.session(default=False)
def real(session: nox.Session) -> None:
    """Run only the tests that need a real API server; fail where there is none."""
    if "KUBEBUILDER_ASSETS" not in os.environ:
        session.error("KUBEBUILDER_ASSETS is not set: see CONTRIBUTING.md")
    install_group(session, "test")
    session.install(".")
    session.run("pytest", "-m", "real", *IN_PARALLEL, *session.posargs)


@nox.session(default=False)
def benchmarks(session: nox.Session) -> None:
    """Measure; `nox -s benchmarks -- startup --runs 20` runs one of them."""
    install_group(session, "test")  # what starts a real API server is the tests'
    session.install(".")
    name, *arguments = session.posargs or ["startup"]
    session.run("python", f"benchmarks/{name}.py", *arguments)

"""Profiles: files of queries."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Annotated, ClassVar, Final, Literal, NamedTuple

from pydantic import BeforeValidator, Field, ValidationError, model_validator

from perfscale.audit.kube_burner import (
    is_alerts,
    is_kube_burner,
    read_alerts,
    read_kube_burner,
)
from perfscale.audit.query import Query, placeholders
from perfscale.audit.window import VARIABLES
from perfscale.config.load import validated
from perfscale.config.reading.document import Document, Wanted, read_document
from perfscale.config.sections.audit import AuditThreshold, Number, as_threshold
from perfscale.config.sections.fields import Text, detail, key_error, refusal, rule, show
from perfscale.config.sections.section import Section
from perfscale.errors import ConfigError, Problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pydantic_core import InitErrorDetails

    from perfscale.audit.alerts import Alert

PROFILES: Final = Path(__file__).parent / "profiles"
"""Those that come with the package."""
_PROFILE_FILE: Final = Wanted("profile", "a list named queries")
_KINDS: Final = ("instant", "range")
_NOT_SHOWN: Final = (
    "this is no profile; what is wrong is not said, because the file is in another folder than "
    "the file that names it: copy it there to see"
)


class Profile(NamedTuple):
    """The queries and alerts of an audit, those of included profiles first.

    ``name`` is the user's.
    """

    name: str
    queries: tuple[Query, ...]
    alerts: tuple[Alert, ...] = ()

    def without_alerts(self) -> Profile:
        """The same, of which no alert is evaluated."""
        return self._replace(alerts=())


def _list(value: object) -> object:
    if isinstance(value, list | tuple) and value:
        return value
    raise refusal("list", "a list with one or more entries in it", value)


def _kind(value: object) -> object:
    if value not in _KINDS:
        raise rule(f"{show(value)} is not a kind of query: write instant or range")
    return value


def _variables(value: object) -> object:
    if not isinstance(value, Mapping):
        raise refusal("mapping", "a mapping of names and texts", value)
    for name, text in value.items():
        if not re.fullmatch(r"[A-Za-z_]\w*", name, re.ASCII):
            raise rule(f"{show(name)} is not a name: letters, digits and _, no digit first")
        if name in VARIABLES:
            raise rule(f"the variable {name} is there already: it is the window's")
        if not isinstance(text, str):
            raise rule(f"the variable {name} is not a text: write it in quotes")
    return value


class QueryEntry(Section):
    """A query, as a file has it."""

    called: ClassVar[str] = "a mapping (name, query, unit, kind, default, threshold)"

    name: Text = Field(description="Of its results; {label} stands for that label's value.")
    query: Text = Field(description="PromQL, with variables as $range.")
    unit: Text | None = Field(default=None, description="Of its results, for people.")
    kind: Annotated[Literal["instant", "range"], BeforeValidator(_kind)] = Field(
        default="instant",
        description="Asked for the end of the window, or for all of it; then the highest counts.",
    )
    default: Number | None = Field(default=None, description="The result where there is no data.")
    threshold: Annotated[AuditThreshold | None, BeforeValidator(as_threshold)] = Field(
        default=None, description="What a result must not be above."
    )


class ProfileFile(Section):
    """A profile, as a file has it."""

    called: ClassVar[str] = "a mapping (queries, include, variables), or kube-burner's list"

    include: Annotated[tuple[Text, ...], BeforeValidator(_list)] = Field(
        default=(), description="Profiles whose queries are asked too."
    )
    queries: Annotated[tuple[QueryEntry, ...], BeforeValidator(_list)] = ()
    variables: Annotated[dict[str, str], BeforeValidator(_variables)] = Field(
        default_factory=dict, description="What else stands in the queries, by its name."
    )

    @model_validator(mode="after")
    def _fits_together(self) -> ProfileFile:
        if not self.include and not self.queries:
            raise key_error("queries", "this key is missing")
        if wrong := [*self._unknown_variables(), *self._equal_names()]:
            raise ValidationError.from_exception_data("profile", wrong)
        return self

    def _unknown_variables(self) -> Iterator[InitErrorDetails]:
        known = VARIABLES | self.variables.keys()
        for number, entry in enumerate(self.queries):
            for name in Template(entry.query).get_identifiers():
                if name not in known:
                    message = (
                        f"${name} is not known: there are {', '.join(sorted(known))}; "
                        f"define it under variables, or write $$ for the character"
                    )
                    yield detail(rule(message), ("queries", number, "query"), entry.query)

    def _equal_names(self) -> Iterator[InitErrorDetails]:
        counts = Counter(entry.name for entry in self.queries)
        for number, entry in enumerate(self.queries):
            # Where labels are in the name, several queries may give different results of it.
            if counts[entry.name] > 1 and not placeholders(entry.name):
                message = f"{show(entry.name)} is the name of {counts[entry.name]} queries"
                yield detail(rule(message), ("queries", number, "name"), entry.name)


def load_profiles(
    names: Sequence[str],
    directory: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> Profile:
    """Read several profiles as one, each as `load_profile` reads it.

    What two of them have alike is evaluated once.

    Raises:
        ConfigError: Everything that is wrong in any of them.
    """
    problems: list[Problem] = []
    queries: list[Query] = []
    alerts: list[Alert] = []
    for name in names:
        try:
            profile = load_profile(name, directory, environment)
        except ConfigError as error:
            problems += error.problems
            continue
        queries += (each for each in profile.queries if each not in queries)
        alerts += (each for each in profile.alerts if each not in alerts)
    if problems:
        raise ConfigError(problems)
    return Profile(", ".join(names), tuple(queries), tuple(alerts))


def load_profile(
    name: str, directory: Path | None = None, environment: Mapping[str, str] | None = None
) -> Profile:
    """Read a profile that comes with the package, or a file.

    Args:
        name: ``kubevirt``, ``kubernetes``, or a path.
        directory: The folder of the file that names it, which a relative path starts from.
            Of what is elsewhere errors show nothing: another user may have written that
            file. None: a person has named it.
        environment: Variables that templates in kube-burner's profiles see; None for none.

    Raises:
        ConfigError: There is none of that name, or something is wrong in it: everything at once.
    """
    path = _find(name, directory or Path())
    if not path.exists():
        known = ", ".join(sorted(each.stem for each in PROFILES.glob("*.yaml")))
        message = f"there is no such file, and no profile of that name: {known} are there"
        raise ConfigError([Problem(message, name)])
    return _Loading(environment).load(path, (), directory)._replace(name=name)


def _find(name: str, directory: Path) -> Path:
    packaged = PROFILES / f"{name}.yaml"
    if re.fullmatch(r"\w+", name) and packaged.exists():
        return packaged
    return directory / name


class _Loading(NamedTuple):
    """The loading of a file, and of those that it includes.

    Attributes:
        environment: What templates of kube-burner see.
    """

    environment: Mapping[str, str] | None

    def load(self, path: Path, above: tuple[Path, ...], folder: Path | None) -> Profile:
        """The queries and alerts of a file, and of those that it includes.

        Args:
            path: The file.
            above: The files that include it.
            folder: The folder of the file that names it; None if a person does.
        """
        try:
            document, file = self._read(path)
        except ConfigError as error:
            resolved = path.resolve()
            shown = folder is None or any(
                resolved.is_relative_to(each.resolve()) for each in (folder, PROFILES)
            )
            if shown or not path.is_file():
                raise
            problems = [Problem(_NOT_SHOWN, str(path), each.line) for each in error.problems]
            raise ConfigError(list(dict.fromkeys(problems))) from error
        if isinstance(file, Profile):
            return file
        found: list[Query] = []
        alerts: list[Alert] = []
        for number, each in enumerate(file.include):
            other = _find(each, document.directory)
            if other.resolve() in (*above, path.resolve()):
                message = "this profile includes itself"
                raise ConfigError([document.source.problem(("include", number), message)])
            included = self.load(other, (*above, path.resolve()), document.directory)
            found += included.queries
            alerts += included.alerts
        own = [_query(entry, file.variables) for entry in file.queries]
        replaced = {query.name for query in own}
        kept = (query for query in found if query.name not in replaced)
        return Profile(str(path), (*kept, *own), tuple(alerts))

    def _read(self, path: Path) -> tuple[Document, ProfileFile | Profile]:
        """A file, and what it holds: a profile of ours, or one of kube-burner's."""
        document = read_document(path, _PROFILE_FILE)
        if is_alerts(document):
            return document, Profile(str(path), (), read_alerts(document, self.environment))
        if is_kube_burner(document):
            return document, Profile(str(path), read_kube_burner(document, self.environment))
        return document, validated(document, ProfileFile)


def _query(entry: QueryEntry, variables: Mapping[str, str]) -> Query:
    return Query(
        entry.name,
        entry.query,
        unit=entry.unit or "",
        kind=entry.kind,
        default=entry.default,
        threshold=entry.threshold,
        variables=variables,
    )

"""From what a page shows to its HTML.

Everything is escaped where it is put in, so nothing that comes from a cluster
can become a part of the page; and a policy in the page itself forbids it to
load or to run anything but what it was written with.
"""

from __future__ import annotations

import base64
import hashlib
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

import msgspec
from jinja2 import (
    BytecodeCache,
    ChoiceLoader,
    DictLoader,
    Environment,
    PackageLoader,
    StrictUndefined,
)
from markupsafe import Markup

from perfscale.results.model.document import STATISTICS, Change, Statistics
from perfscale.visible import visible

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import CodeType

    from jinja2 import BaseLoader
    from jinja2.bccache import Bucket

_SMALLEST: Final = 1e-9
_NOT_REACHED: Final = "not reached"


def render(template: str, **content: Any) -> str:  # noqa: ANN401 -- whatever a template shows
    """A page from one of the templates beside this module."""
    content |= page_assets()
    return page_environment().get_template(template).render(content)


def page_assets(more_script: str = "") -> dict[str, str]:
    """The style sheet and the script of a page, and the digest by which its policy knows it."""
    style, script = _asset("page.css"), _asset("plots.js") + more_script
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return {"style": style, "script": script, "script_digest": f"sha256-{digest}"}


def page_environment(*more: BaseLoader) -> Environment:
    """The templates beside this module, and those of ``more`` loaders, with all that they need."""
    environment = _environment()
    if not more:
        return environment
    return environment.overlay(loader=ChoiceLoader([*more, environment.loader or DictLoader({})]))


class _Compiled(BytecodeCache):
    """Keeps what templates compile to, which takes ten times as long as to draw one.

    An environment that has more templates than another compiles none of the others again.
    """

    def __init__(self) -> None:
        self._codes: dict[str, CodeType | None] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """Take what is known."""
        bucket.code = self._codes.get(bucket.key)

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep what was compiled."""
        self._codes[bucket.key] = bucket.code


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("perfscale.results.pages", "assets"),
        autoescape=True,
        finalize=_shown,
        undefined=StrictUndefined,
        auto_reload=False,  # they are parts of the program
        bytecode_cache=_Compiled(),
        trim_blocks=True,
        lstrip_blocks=True,
    )
    # A tenth of the time that the standard library's takes.
    environment.policies["json.dumps_function"] = _json
    environment.policies["json.dumps_kwargs"] = {}
    environment.globals.update(STATISTICS=list(STATISTICS), row_of=_row_of)
    environment.filters.update(
        seconds=seconds,
        words=words,
        instant=instant,
        number=number,
        by_name=by_name,
        keyed=keyed,
        chance=chance,
        short=short,
    )
    return environment


def _row_of(row: Callable[..., Markup], _: str, *values: object) -> Markup:
    """A row of a table, from its macro; a page that is drawn again and again has another one."""
    return row(*values)


def _shown(value: object) -> object:
    """Text as it is, also where it would turn around what is read after it."""
    # What is marked up already is ours.
    return value if isinstance(value, Markup) else visible(str(value))


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()


def _asset(name: str) -> str:
    return (files("perfscale.results.pages") / "assets" / name).read_text(encoding="utf-8")


def seconds(value: float | None) -> str:
    """A latency, as the terminal shows it too."""
    return _NOT_REACHED if value is None else f"{value:.3f}"


def number(value: float | None) -> str:
    """A number of any size, to six decimals at most."""
    return "" if value is None else f"{round(value, 6):,.12g}"


def chance(p_value: float) -> str:
    """A probability, as small as makes a difference to a person."""
    return "<1e-9" if p_value < _SMALLEST else f"{p_value:.2g}"


def short(value: float | None) -> str:
    """A number of any size, to four digits."""
    return "" if value is None else f"{float(f'{value:.4g}'):,.10g}"


def by_name(transitions: Iterable[Change]) -> list[tuple[str, Statistics]]:
    """Times between two phases, each with a name for a person."""
    return [(f"{each.before} to {each.after}", each) for each in transitions]


def keyed(part: msgspec.Struct) -> list[tuple[str, Any]]:
    """Each key of a part of the summary, with its value."""
    # msgspec.structs.fields says the same, and evaluates every annotation for it.
    names = zip(part.__struct_encode_fields__, part.__struct_fields__, strict=True)
    return [(key, getattr(part, name)) for key, name in names]


def words(key: str) -> str:
    """A key of the summary as words: ``notAttempted`` becomes ``not attempted``."""
    if key == "leftover":
        return "left over"
    return "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in key)


def instant(text: str) -> str:
    """An RFC 3339 time to the second, for reading."""
    try:
        return datetime.fromisoformat(text).strftime("%Y-%m-%d %H:%M:%S %Z")
    except ValueError:
        return text

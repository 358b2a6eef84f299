"""Every function there is: those that can be called, and why the others are refused."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Final

from perfscale.templates.gotemplate.functions.builtin import BUILTIN
from perfscale.templates.gotemplate.functions.chance import CHANCE
from perfscale.templates.gotemplate.functions.dates import DATES
from perfscale.templates.gotemplate.functions.defaults import DEFAULTS
from perfscale.templates.gotemplate.functions.encoding import ENCODING
from perfscale.templates.gotemplate.functions.lists import LISTS
from perfscale.templates.gotemplate.functions.maps import MAPS
from perfscale.templates.gotemplate.functions.numbers import NUMBERS
from perfscale.templates.gotemplate.functions.surroundings import (
    ENVIRONMENT,
    KUBE_BURNER,
    READING,
)
from perfscale.templates.gotemplate.functions.texts import TEXTS
from perfscale.templates.gotemplate.language.lexer import KEYWORDS

if TYPE_CHECKING:
    from perfscale.templates.gotemplate.functions.signature import Function
    from perfscale.templates.gotemplate.settings import Settings

FUNCTIONS: Final[dict[str, Function]] = {
    **BUILTIN,
    **CHANCE,
    **DATES,
    **DEFAULTS,
    **ENCODING,
    **ENVIRONMENT,
    **KUBE_BURNER,
    **LISTS,
    **MAPS,
    **NUMBERS,
    **READING,
    **TEXTS,
}
OPERATORS: Final = ("and", "or")
"""They compute no more of their arguments than they need, so they are no functions here."""

_CRYPTO: Final = "keys, certificates and password hashes are not made by templates"
_REGEX: Final = "Go's regular expressions are not supported: use contains, replace, splitList"
_VERSIONS: Final = "versions are not compared by templates"
_GONE: Final = "kube-burner has it no more: write `{}`"
REFUSED: Final[dict[str, str]] = {
    **dict.fromkeys(
        (
            "bcrypt", "buildCustomCert", "decryptAES", "derivePassword", "encryptAES", "genCA",
            "genCAWithKey", "genPrivateKey", "genSelfSignedCert", "genSelfSignedCertWithKey",
            "genSignedCert", "genSignedCertWithKey", "htpasswd", "randBytes",
        ),
        _CRYPTO,
    ),
    **dict.fromkeys(
        (
            "mustRegexFind", "mustRegexFindAll", "mustRegexMatch", "mustRegexReplaceAll",
            "mustRegexReplaceAllLiteral", "mustRegexSplit", "regexFind", "regexFindAll",
            "regexMatch", "regexQuoteMeta", "regexReplaceAll", "regexReplaceAllLiteral",
            "regexSplit",
        ),
        _REGEX,
    ),
    **dict.fromkeys(("semver", "semverCompare"), _VERSIONS),
    **dict.fromkeys(("mustToDate", "toDate"), "times are not read from texts by templates"),
    **dict.fromkeys(("urlJoin", "urlParse"), "URLs are not taken apart by templates"),
    "call": "there are no functions among a template's variables that it could call",
    "getHostByName": "a template has no way to the network",
    "multiply": _GONE.format("mul"),
    "rand": _GONE.format("randAlphaNum"),
    "randInteger": _GONE.format("randInt"),
    "sequence": _GONE.format("untilStep"),
}  # fmt: skip
"""Functions of Go, sprig and kube-burner that are not here, and why."""


def is_known(word: str) -> bool:
    """Whether a word means something in the language: a function's name, or one of its own."""
    return word in FUNCTIONS or word in REFUSED or word in OPERATORS or word in _WORDS


_WORDS: Final = KEYWORDS | {"false", "true"}


def why_not(name: str, settings: Settings) -> str | None:
    """Why a template may not call a function; None where it may."""
    if name in REFUSED:
        return f"the function `{name}` is not supported: {REFUSED[name]}"
    if name in ENVIRONMENT and settings.environment is None:
        return (
            f"the function `{name}` reads the environment, which is not allowed here (--allow-env)"
        )
    if name in READING and settings.folder is None:
        return f"the function `{name}` reads files, which is not allowed here"
    if name in FUNCTIONS or name in OPERATORS:
        return None
    near = difflib.get_close_matches(name, (*FUNCTIONS, *OPERATORS), n=1)
    return f'function "{name}" not defined' + (f" (did you mean `{near[0]}`?)" if near else "")

"""Go's template language: `text/template`, sprig's functions, and kube-burner's own.

An interpreter: a template is lexed, parsed to a tree, and the tree is compiled to closures
once; rendering calls them. What is not understood is refused by name, with file and line, when
the template is parsed: https://pkg.go.dev/text/template, https://masterminds.github.io/sprig/.

How to use it::

    library = parse(text, file="functions.tpl")          # its `define` blocks
    template = parse(
        text,
        file="deployment.yml",                           # as errors name it
        settings=Settings(missing="error", folder=directory, environment=None),
        defines=[library],                               # the template's own come before these
    )
    template.render({"Replica": 1, "Iteration": 0, "storageClassName": "fast"})

`parse` raises `TemplateError` with every problem it finds; `GoTemplate.render` raises it for what
fails with these variables. `GoTemplate` is a `Source` of `dialects.dialect`, so `Manifests` and
`ObjectFactory` take it as they take Jinja2.

`Settings` has all that a template is given besides its variables:

- ``missing``: ``"error"`` refuses a key that is not there; ``"zero"`` prints ``<no value>``.
- ``folder``: where `ReadFile` may read, below it and nowhere else; None: it is refused.
- ``environment``: what `env` and `expandenv` see; None: the two are refused.
- ``random``: what random functions draw from; None: another one for each template.

Values are what JSON and YAML give: None, bool, int, float, str, list, dict with text keys.

Most workloads have no such template, so the interpreter is loaded with the first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from perfscale.templates.gotemplate.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perfscale.templates.gotemplate.template import GoTemplate

__all__ = ["Settings", "is_known", "parse"]

_NO_SETTINGS: Final = Settings()


def parse(
    text: str,
    *,
    file: str,
    settings: Settings = _NO_SETTINGS,
    defines: Sequence[GoTemplate] = (),
) -> GoTemplate:
    """Parse a template.

    Args:
        text: The template.
        file: Its file, as errors name it.
        settings: What it is given besides its variables.
        defines: Files whose templates it may call, by ``define`` or by the file's name; of two
            with one name the last counts, and its own come before those of files.

    Raises:
        TemplateError: It is not in Go's template language, or calls a function that is not there.
    """
    from perfscale.templates.gotemplate.template import GoTemplate  # noqa: PLC0415 -- see above

    return GoTemplate(text, file, settings, defines)


def is_known(word: str) -> bool:
    """Whether a word means something in the language: a function's name, or one of its own."""
    from perfscale.templates.gotemplate.functions import known  # noqa: PLC0415 -- see above

    return known.is_known(word)

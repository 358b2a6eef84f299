"""kubernetes_asyncio's sign-in, without its model of every kind in Kubernetes.

To import any part of the library is to import all of it: some 1500 modules, 35 MB
and 0.4 s of CPU, of which a sign-in needs a dozen. So what the packages say in
their `__init__` is left out while those are imported. They are then forgotten by
name: a program that uses the library itself gets all of it, apart from ours.
"""

from __future__ import annotations

import sys
from contextlib import contextmanager
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from kubernetes_asyncio.client import Configuration
    from kubernetes_asyncio.config import ConfigException

_NAME: Final = "kubernetes_asyncio"


class SignIn(NamedTuple):
    """What is used of the library, under its own names."""

    Configuration: type[Configuration]
    load_kube_config_from_dict: Callable[..., Awaitable[object]]
    ConfigException: type[ConfigException]


@cache
def sign_in() -> SignIn:
    """Import it, at the first call."""
    if _NAME in sys.modules:
        return _import()
    try:
        with _bare_packages() as client:
            # What kubernetes_asyncio.config takes from that package.
            from kubernetes_asyncio.client.configuration import (  # noqa: PLC0415
                Configuration,
            )

            client.Configuration = Configuration  # type: ignore[attr-defined]
            from kubernetes_asyncio.client.api_client import ApiClient  # noqa: PLC0415

            client.ApiClient = ApiClient  # type: ignore[attr-defined]
            return _import()
    except ImportError:  # a version of the library that is laid out otherwise
        return _import()


def _import() -> SignIn:
    from kubernetes_asyncio.client import Configuration  # noqa: PLC0415
    from kubernetes_asyncio.config import (  # noqa: PLC0415
        ConfigException,
        load_kube_config_from_dict,
    )

    return SignIn(Configuration, load_kube_config_from_dict, ConfigException)


@contextmanager
def _bare_packages() -> Iterator[ModuleType]:
    """While it lasts, the library's packages hold nothing but modules; gives its ``client``."""
    spec = find_spec(_NAME)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"No module named {_NAME!r}", name=_NAME)
    root = Path(spec.origin).parent
    library = _bare_package(_NAME, root)
    client = _bare_package(f"{_NAME}.client", root / "client")
    models = _bare_package(f"{_NAME}.client.models", root / "client" / "models")
    library.client = client  # type: ignore[attr-defined]
    client.models = models  # type: ignore[attr-defined]
    try:
        yield client
    finally:
        for name in [name for name in sys.modules if name.split(".", 1)[0] == _NAME]:
            del sys.modules[name]


def _bare_package(name: str, folder: Path) -> ModuleType:
    package = ModuleType(name)
    package.__path__ = [str(folder)]
    sys.modules[name] = package
    return package

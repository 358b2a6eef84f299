"""What is imported of kubernetes_asyncio, in processes of their own: imports are for good."""

import subprocess
import sys

import pytest

_LEAN = """
import sys

models = []
sys.addaudithook(
    lambda event, arguments: event == "import" and ".client.models." in arguments[0]
    and models.append(arguments[0])
)
from perfscale.kube.auth.sign_in import sign_in

assert sign_in().Configuration()
assert not models, models[:3]
"""
_BESIDE = """
from perfscale.kube.auth.sign_in import sign_in

library = sign_in()
import kubernetes_asyncio

assert kubernetes_asyncio.client.CoreV1Api and kubernetes_asyncio.client.V1Pod
assert kubernetes_asyncio.watch.Watch and kubernetes_asyncio.config.load_kube_config
assert sign_in() is library
"""
_AFTER = """
import kubernetes_asyncio

from perfscale.kube.auth.sign_in import sign_in

assert sign_in().Configuration is kubernetes_asyncio.client.Configuration
assert kubernetes_asyncio.client.CoreV1Api
"""


@pytest.mark.parametrize(
    "program",
    [
        pytest.param(_LEAN, id="no model is imported"),
        pytest.param(_BESIDE, id="a program can use all of the library later"),
        pytest.param(_AFTER, id="a program that has imported the library shares it"),
    ],
)
def test_signing_in_takes_little_of_the_library_and_leaves_it_whole(program: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr

"""Makes a test of each document, block or command that a test asks for by name."""

import pytest
from documents import ROOT, blocks, documents, perfscale_commands


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    names = metafunc.fixturenames
    if "document" in names:
        found = documents()
        metafunc.parametrize("document", found, ids=[str(p.relative_to(ROOT)) for p in found])
    for name, language in (("yaml_block", "yaml"), ("python_block", "python")):
        if name in names:
            shown = list(blocks(language))
            metafunc.parametrize(name, shown, ids=[block.place for block in shown])
    if "command" in names:
        scripts = [block.text for block in blocks("sh", "bash", "console")]
        calls = sorted({call for script in scripts for call in perfscale_commands(script)})
        metafunc.parametrize("command", calls, ids=[" ".join(call) for call in calls])

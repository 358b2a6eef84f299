"""Other tools' files become our configuration.

Each form has a module, which knows its keys, and what each of them means here. What is wrong in
a file is reported at its own lines, and in its own words.
"""

from __future__ import annotations

from perfscale.foreign.loading import load_config

__all__ = ["load_config"]

"""The page of a run while it goes on, for any number of readers.

It is made of what everybody may know of a run, its snapshots and events, and is drawn with the
report's own sections and plots. It costs the run nothing while nobody reads it.
"""

from perfscale.live.address import WebAddress, parse_web_address
from perfscale.live.server import LivePage, serve_page

__all__ = ["LivePage", "WebAddress", "parse_web_address", "serve_page"]

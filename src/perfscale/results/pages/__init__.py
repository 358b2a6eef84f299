"""Pages that people look at: a run on one page, made from its files alone.

No room beside this one imports it, since drawing takes modules that a run does
not need before its end.
"""

from perfscale.results.pages.page import REPORT_FILE, write_page

__all__ = ["REPORT_FILE", "write_page"]

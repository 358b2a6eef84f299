"""HTML pages, made from the files of runs alone: a run, or several compared.

No room beside this one imports it, since drawing takes modules that a run does
not need before its end.
"""

from perfscale.results.pages.comparison import write_comparison
from perfscale.results.pages.page import REPORT_FILE, write_page

__all__ = ["REPORT_FILE", "write_comparison", "write_page"]

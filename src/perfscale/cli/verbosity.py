"""How much is logged to standard error."""

from __future__ import annotations

import logging

from perfscale.cli.output.streams import say

_LEVELS = (logging.ERROR, logging.INFO, logging.DEBUG)


def set_up_logging() -> None:
    """Log errors to standard error.

    Warnings about a run are among its events, which the display shows.
    """
    handler = _Handler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("perfscale").setLevel(_LEVELS[0])


def log_more(verbosity: int) -> None:
    """Log information too at 1, everything at 2; never less than before."""
    logger = logging.getLogger("perfscale")
    logger.setLevel(min(logger.level, _LEVELS[min(verbosity, 2)]))


class _Handler(logging.Handler):
    """Writes to whatever standard error is then: above the progress, while that is shown."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record."""
        say(self.format(record))

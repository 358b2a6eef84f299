"""How long tests wait: the two bounds that there are, for everything that takes time."""

from typing import Final

PATIENCE_S: Final = 300.0
"""For what must come. It only ends a hang: nothing takes nearly as long, however much else the
machine has to do, and nobody waits any longer than it takes."""

SILENCE_S: Final = 1.0
"""For what must not come, where the client's own bound is what is tried. Whatever does come before
it (a connection, the head of an answer) comes sooner on a busy machine, too."""

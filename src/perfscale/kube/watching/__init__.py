"""List, then watch, then resume."""

"""What a search runs next, by what it has run, and by nothing else: no I/O, no clock."""

"""The keys of that program's configuration, strictly, with its defaults."""

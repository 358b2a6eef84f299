"""What a run counts, writes to its journal and publishes while it goes on."""

"""What the generators publish: merged into one journal, and counted while the run goes on."""

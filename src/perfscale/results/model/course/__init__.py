"""What happened in a run beside the load."""

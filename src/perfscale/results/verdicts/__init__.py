"""What a run's numbers are worth: thresholds, health, outages, failures."""

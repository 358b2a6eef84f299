"""The state of the run's objects, from answers and watch events."""

"""Latencies, rates, clocks and counts, from records."""

"""Percentiles of latencies: exact ones, and sketches whose memory has a bound."""

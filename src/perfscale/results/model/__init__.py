"""Frozen records and documents: what is written."""

"""Runs beside each other: lists, differences and trends."""

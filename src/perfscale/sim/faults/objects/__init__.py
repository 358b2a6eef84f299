"""Faults of objects, namespaces and controllers."""

"""Deletion of objects and namespaces, and the proof that they are gone."""

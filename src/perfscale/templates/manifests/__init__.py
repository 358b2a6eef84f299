"""Manifests: read from rendered text, checked, labelled."""

"""Bounds on what a template may take to render and to parse."""

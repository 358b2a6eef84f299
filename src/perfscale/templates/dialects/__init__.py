"""Jinja2 and the old tool's Go syntax."""

"""Generators in processes of their own, and the pipes to them."""

"""The functions that templates can call, and why others are refused."""

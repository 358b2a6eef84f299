"""The controllers of what makes pods, and the pods themselves."""

"""The controllers of volumes, of their claims and of their snapshots."""

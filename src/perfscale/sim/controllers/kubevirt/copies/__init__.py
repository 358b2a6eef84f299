"""Snapshots, restores and clones of VMs."""

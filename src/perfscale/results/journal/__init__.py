"""What happens in a run, written as it happens, and read again."""

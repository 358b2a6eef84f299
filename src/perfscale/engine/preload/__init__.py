"""Images that are pulled to the nodes before the load begins, so that it does not measure that."""

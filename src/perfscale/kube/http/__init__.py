"""HTTP connections to one API server."""

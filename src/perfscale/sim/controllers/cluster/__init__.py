"""Nodes, services, what extends the API, and what there is to know of the whole cluster."""

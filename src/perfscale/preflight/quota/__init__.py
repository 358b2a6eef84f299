"""Quotas and limit ranges, compared with what a run needs of each namespace.

A dry run cannot tell that: it stores nothing, so no quota ever fills up. What is promised is
that nothing is refused that would fit. So what a run needs is a lower bound everywhere: of a
large workload a sample is rendered and its least counts for the rest; objects count as gone
as soon as the run deletes them; of a virtual machine's pod only what the manifest says for
certain counts; quotas with scopes are left out; and what cannot be read or understood is left
to the server.

`shortages` is the one way in.
"""

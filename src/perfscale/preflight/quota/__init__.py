"""Quotas and limit ranges, compared with what a run takes of each namespace.

This is what a dry run on the server cannot tell: it stores nothing, so no quota ever fills up,
and it makes no pods of virtual machines. The promise is that nothing is refused that would fit.
So what a run takes is a lower bound everywhere: of a large workload a sample is rendered, and its
least counts for the rest; objects count as gone as soon as the run deletes them; what limit ranges
give to pods does not count; of a virtual machine's pod only what the manifest says for certain
does; quotas with scopes are left out; and what cannot be read is left to the server.
"""

"""A run as kube-burner would have written it down, for the dashboards that read its documents.

The names are those of kube-burner 2: https://github.com/kube-burner/kube-burner. A workload is a
job there. Latencies are whole milliseconds of the client's clock. What is not known, or was not
reached, is left out: there are no numbers that stand for nothing.
"""

from perfscale.results.documents.collected import TARBALL, write_documents
from perfscale.results.documents.reading import read_documents
from perfscale.results.documents.stamps import NamedDocument

__all__ = ["TARBALL", "NamedDocument", "read_documents", "write_documents"]

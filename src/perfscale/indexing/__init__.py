"""Documents go to OpenSearch or Elasticsearch, by the bulk API that both have.

https://docs.opensearch.org/latest/api-reference/document-apis/bulk/ and
https://www.elastic.co/docs/api/doc/elasticsearch/operation/operation-bulk

Nothing here knows where documents come from, or prints.
"""

from perfscale.indexing.batches import MOST_BYTES, MOST_DOCUMENTS, check_name
from perfscale.indexing.indexer import VARIABLES, Indexer, IndexPlan
from perfscale.indexing.tally import IndexTally

__all__ = [
    "MOST_BYTES",
    "MOST_DOCUMENTS",
    "VARIABLES",
    "IndexPlan",
    "IndexTally",
    "Indexer",
    "check_name",
]

"""Why objects are slow: which are, what the cluster says of them, and where their time went."""

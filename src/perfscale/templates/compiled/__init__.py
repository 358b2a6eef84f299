"""Bodies of many objects, and patches of many targets, from one rendering."""

"""Export: the serving graph, its signatures, SavedModel versions, and their verification."""

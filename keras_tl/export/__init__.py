"""Export of a learner: serving graph, signatures, SavedModel versions, verification."""

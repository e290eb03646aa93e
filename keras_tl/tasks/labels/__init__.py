"""Labels in any form: choose the task from the labels, and encode them as numbers."""

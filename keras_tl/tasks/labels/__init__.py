"""Read labels in any form: choose the task from the labels, and encode the labels as numbers."""

"""Tables of items and labels, from files or data frames."""

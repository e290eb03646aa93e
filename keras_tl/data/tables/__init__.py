"""Tables of items and labels."""

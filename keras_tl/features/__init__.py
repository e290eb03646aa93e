"""Features of the frozen backbone: computed once per item, stored and reused."""

"""Features of the frozen backbone: computed once per item, kept, and read by all that is cheap."""

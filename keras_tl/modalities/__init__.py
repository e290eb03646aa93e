"""What goes into a model: one class for images, one for texts."""

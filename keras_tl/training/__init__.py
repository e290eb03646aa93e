"""Training: phases, freezing, optimizers, learning rates, head solver and trainer."""

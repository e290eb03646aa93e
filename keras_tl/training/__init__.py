"""Training: phases, freezing, the feature cache, schedules, strategy and precision."""

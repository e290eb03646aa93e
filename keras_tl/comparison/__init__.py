"""Does transfer help here? And which backbone? Learners are run, compared and judged."""

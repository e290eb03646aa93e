"""Labels of any form: choice of the task, and encoding."""

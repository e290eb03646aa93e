"""Tasks of models, such as regression. Each task has its own module and a row in `TASKS`."""

from keras_tl.tasks.base import THRESHOLD, Task
from keras_tl.tasks.monitoring import monitored, monitored_value, needs_class_probabilities
from keras_tl.tasks.table import TASKS, get_task, label_encoder, register_task, task_of

__all__ = [
    "TASKS",
    "THRESHOLD",
    "Task",
    "get_task",
    "label_encoder",
    "monitored",
    "monitored_value",
    "needs_class_probabilities",
    "register_task",
    "task_of",
]

"""The table of tasks."""

from collections.abc import Sequence

from keras_tl.base.config import ModelConfig
from keras_tl.errors import ConfigError, quoted, unknown
from keras_tl.tasks.base import Task
from keras_tl.tasks.binary import Binary
from keras_tl.tasks.labels.coding import LabelCoder
from keras_tl.tasks.labels.forms import Labels
from keras_tl.tasks.multiclass import Multiclass
from keras_tl.tasks.multilabel import Multilabel
from keras_tl.tasks.one_class import ClassCoder
from keras_tl.tasks.regression import Regression

# By name. A new task is one more row.
TASKS: dict[str, type[Task]] = {
    task.kind: task for task in (Multiclass, Binary, Multilabel, Regression)
}


def register_task(task: type[Task], replace: bool = False) -> None:
    """Make a task of your own known by its name, in this process.

    Data, learners, reports and exports take it as they take the others: by `task=` of the data. A
    saved run knows only the name: register the task again before `Learner.load`.

    Args:
        task: a subclass of `Task`, or of one of the tasks in `TASKS`; `task.kind` is its name.
        replace: take the place of an earlier task of that name.

    Raises:
        ConfigError: it is not such a class, it lacks a method, or there is a task of that name.

    Example:
        >>> class Counts(TASKS["regression"]):
        ...     kind = "counts"
        >>> register_task(Counts)
        >>> get_task("counts").headline
        'mae'
    """
    if not (isinstance(task, type) and issubclass(task, Task)):
        raise ConfigError(f"register_task takes a subclass of Task. Received: {quoted(task)}.")
    if missing := sorted(getattr(task, "__abstractmethods__", ())):
        raise ConfigError(f"The task {task.__name__} lacks methods: {', '.join(missing)}.")
    if task.kind in TASKS and not replace:
        raise ConfigError(
            f"There is a task {quoted(task.kind)} already. Give yours another kind, or pass "
            "replace=True."
        )
    TASKS[task.kind] = task


def get_task(name: str) -> type[Task]:
    """Return the class of a task; raise `ConfigError`, naming the tasks, if there is none."""
    if name not in TASKS:
        raise ConfigError(unknown("task", name, tuple(TASKS)))
    return TASKS[name]


def task_of(config: ModelConfig) -> Task:
    """The task of a model."""
    return get_task(config.task)(
        config.class_names,
        config.target_mean,
        config.target_scale,
        config.temperature,
        config.thresholds,
    )


def label_coder(
    y: Labels, class_names: Sequence[str] | None = None, task: str | None = None
) -> LabelCoder:
    """Make what turns labels into numbers, see `Task.coder`.

    Args:
        y: the labels of the training split.
        class_names: names of the classes that integers count, or of the columns of 0 and 1;
            `None`: the sorted distinct labels.
        task: the task's name; `None`: one class an item, binary if there are two.
    """
    return ClassCoder(y, class_names) if task is None else get_task(task).coder(y, class_names)

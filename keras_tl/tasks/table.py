"""`TASKS`: the table of all tasks, and functions that look up or register a task."""

from collections.abc import Sequence

from keras_tl.base.config import ModelConfig
from keras_tl.errors import ConfigError, quoted, unknown
from keras_tl.tasks.base import Task
from keras_tl.tasks.binary import Binary
from keras_tl.tasks.labels.label_encoder import LabelEncoder
from keras_tl.tasks.labels.plain_labels import Labels
from keras_tl.tasks.multiclass import Multiclass
from keras_tl.tasks.multilabel import Multilabel
from keras_tl.tasks.one_class import ClassEncoder
from keras_tl.tasks.regression import Regression

# The Python classes of all tasks, by name of the task. To add a task, add its Python class here.
TASKS: dict[str, type[Task]] = {
    task.kind: task for task in (Multiclass, Binary, Multilabel, Regression)
}


def register_task(task: type[Task], *, overwrite: bool = False) -> None:
    """Add your own task to `TASKS` under its name, for the current process.

    You can then pass your task's name as `task=` when you load data. Learners, reports and exports
    also support your task. A saved run stores only the name of your task: register the task again
    before `Learner.load`.

    Args:
        task: Subclass of `Task` or of a task in `TASKS`. The attribute `kind` names the task.
        overwrite: Whether to replace an earlier task of the same name.

    Raises:
        ConfigError: `task` is no subclass of `Task`, lacks a method, or has a name already in use.

    Example:
        >>> class Counts(ktl.tasks.TASKS["regression"]):
        ...     kind = "counts"
        >>> ktl.tasks.register_task(Counts)
        >>> ktl.tasks.get_task("counts").primary_metric
        'mae'
    """
    if not (isinstance(task, type) and issubclass(task, Task)):
        raise ConfigError(f"register_task takes a subclass of Task. Received: {quoted(task)}.")
    if missing := sorted(getattr(task, "__abstractmethods__", ())):
        raise ConfigError(
            f"The task {task.__name__} lacks methods: {', '.join(missing)}. Define these methods."
        )
    if task.kind in TASKS and not overwrite:
        raise ConfigError(
            f"A task with kind {quoted(task.kind)} exists already. Give your task another kind, or "
            "pass overwrite=True."
        )
    TASKS[task.kind] = task


def get_task(name: str) -> type[Task]:
    """Return the `Task` subclass with this name. Raise `ConfigError` for an unknown name.

    Example:
        >>> ktl.tasks.get_task("binary").primary_metric
        'accuracy'
    """
    if name not in TASKS:
        raise ConfigError(unknown("task", name, tuple(TASKS)))
    return TASKS[name]


def task_of(config: ModelConfig) -> Task:
    """Create the task of a model from the configuration of the model.

    Example:
        >>> ktl.tasks.task_of(learner.config).class_names
        ('blue', 'red')
    """
    return get_task(config.task)(
        config.class_names,
        config.target_mean,
        config.target_scale,
        config.temperature,
        config.thresholds,
    )


def label_encoder(
    y: Labels, class_names: Sequence[str] | None = None, *, task: str | None = None
) -> LabelEncoder:
    """Create the label encoder from the training labels, see `Task.encoder`.

    Args:
        class_names: Names of the classes: an integer label `i` means `class_names[i]`. If labels
            are columns of 0 and 1, `class_names` names the columns. `None`: the sorted distinct
            labels.
        task: Name of the task. `None`: `"binary"` for two classes, else `"multiclass"`.

    Example:
        >>> ktl.tasks.label_encoder(np.array(["no", "yes", "no"])).task
        'binary'
    """
    return ClassEncoder(y, class_names) if task is None else get_task(task).encoder(y, class_names)

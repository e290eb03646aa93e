"""The sections of the report. One function per section creates a `Section` from the context."""

from collections.abc import Callable

from keras_tl.report.blocks import Section
from keras_tl.report.context import ReportContext
from keras_tl.report.sections.classes import classes
from keras_tl.report.sections.comparison import comparison
from keras_tl.report.sections.data import data
from keras_tl.report.sections.features import features
from keras_tl.report.sections.losses import losses
from keras_tl.report.sections.model import model
from keras_tl.report.sections.probabilities import probabilities
from keras_tl.report.sections.summary import summary
from keras_tl.report.sections.training import training

# The page shows the sections in this order. Add a new section here.
SECTIONS: tuple[Callable[[ReportContext], Section], ...] = (
    summary,
    comparison,
    training,
    classes,
    probabilities,
    losses,
    features,
    data,
    model,
)

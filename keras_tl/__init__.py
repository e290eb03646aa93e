"""keras_tl: transfer learning with Keras 3 on TensorFlow.

`import keras_tl` does not import TensorFlow or Keras. The first use of a name, such as
`keras_tl.Learner`, imports the module that defines this name.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    # Editors and type checkers need these imports. A test compares them with `_HOMES` and
    # `_MODULES`.
    from keras_tl import backbones, errors, serving, tasks, testing, ulmfit
    from keras_tl.backbones import BackboneSpec, Preprocessing
    from keras_tl.backbones.layer import Backbone
    from keras_tl.backbones.texts import (
        HubPreprocessor,
        KerasHubPreprocessor,
        TextPreprocessor,
        WordPiecePreprocessor,
        load_preprocessor,
    )
    from keras_tl.base.config import CacheConfig, HeadConfig, ModelConfig, Phase
    from keras_tl.base.overwriting import check_new
    from keras_tl.base.results import (
        MultilabelPrediction,
        MultilabelPredictions,
        Prediction,
        Predictions,
        RegressionPrediction,
        RegressionPredictions,
    )
    from keras_tl.comparison.budget import Protocol
    from keras_tl.comparison.comparing import compare
    from keras_tl.comparison.cost import Cost
    from keras_tl.comparison.result import Comparison
    from keras_tl.comparison.verdict import Verdict
    from keras_tl.data.image_data import ImageData
    from keras_tl.data.images.augmentation import Augmentation
    from keras_tl.data.images.file_check import FileCheck
    from keras_tl.data.images.image_options import DataOptions
    from keras_tl.data.images.image_split import ImageSplit
    from keras_tl.data.text_data import TextData
    from keras_tl.data.texts.text_check import TextCheck
    from keras_tl.data.texts.text_options import TextOptions
    from keras_tl.data.texts.text_split import TextSplit
    from keras_tl.errors import KerasTLError
    from keras_tl.evaluation.calibration import Calibrated, Calibration
    from keras_tl.evaluation.cross_validation import CrossValidation
    from keras_tl.evaluation.evaluation import Evaluation
    from keras_tl.evaluation.intervals import Interval, mean_interval
    from keras_tl.evaluation.losses import TopLoss, TopLosses
    from keras_tl.evaluation.overfitting import Overfitting
    from keras_tl.evaluation.prediction_record import PredictionRecord
    from keras_tl.evaluation.ranking import RankedBackbone, Ranking
    from keras_tl.evaluation.remedy import Remedy
    from keras_tl.evaluation.slices import Slice, Slices
    from keras_tl.evaluation.thresholds import Threshold, Thresholds
    from keras_tl.export.serving import ServingModel
    from keras_tl.learner import figures
    from keras_tl.learner.facade import Learner
    from keras_tl.learner.functions import overfitting, rank_backbones, save_features
    from keras_tl.learner.history import History
    from keras_tl.learner.options import LearnerOptions
    from keras_tl.preflight.findings import Finding, Findings
    from keras_tl.runs.history import PhaseRecord, PhaseRecords
    from keras_tl.selection.candidates import Candidate
    from keras_tl.selection.result import FitResult
    from keras_tl.tasks import Task
    from keras_tl.training.lr_finder import LearningRates
    from keras_tl.training.policies import POLICIES

__version__ = "0.2.0.dev0"

# Maps each public name to the module that defines it.
_HOMES = {
    "POLICIES": "keras_tl.training.policies",
    "Augmentation": "keras_tl.data.images.augmentation",
    "Backbone": "keras_tl.backbones.layer",
    "BackboneSpec": "keras_tl.backbones",
    "CacheConfig": "keras_tl.base.config",
    "Calibrated": "keras_tl.evaluation.calibration",
    "Calibration": "keras_tl.evaluation.calibration",
    "Candidate": "keras_tl.selection.candidates",
    "Comparison": "keras_tl.comparison.result",
    "Cost": "keras_tl.comparison.cost",
    "CrossValidation": "keras_tl.evaluation.cross_validation",
    "DataOptions": "keras_tl.data.images.image_options",
    "Evaluation": "keras_tl.evaluation.evaluation",
    "FileCheck": "keras_tl.data.images.file_check",
    "Finding": "keras_tl.preflight.findings",
    "Findings": "keras_tl.preflight.findings",
    "FitResult": "keras_tl.selection.result",
    "HeadConfig": "keras_tl.base.config",
    "History": "keras_tl.learner.history",
    "HubPreprocessor": "keras_tl.backbones.texts",
    "ImageData": "keras_tl.data.image_data",
    "ImageSplit": "keras_tl.data.images.image_split",
    "Interval": "keras_tl.evaluation.intervals",
    "KerasHubPreprocessor": "keras_tl.backbones.texts",
    "KerasTLError": "keras_tl.errors",
    "Learner": "keras_tl.learner.facade",
    "LearnerOptions": "keras_tl.learner.options",
    "LearningRates": "keras_tl.training.lr_finder",
    "ModelConfig": "keras_tl.base.config",
    "MultilabelPrediction": "keras_tl.base.results",
    "MultilabelPredictions": "keras_tl.base.results",
    "Overfitting": "keras_tl.evaluation.overfitting",
    "Phase": "keras_tl.base.config",
    "PhaseRecord": "keras_tl.runs.history",
    "PhaseRecords": "keras_tl.runs.history",
    "Prediction": "keras_tl.base.results",
    "PredictionRecord": "keras_tl.evaluation.prediction_record",
    "Predictions": "keras_tl.base.results",
    "Preprocessing": "keras_tl.backbones",
    "Protocol": "keras_tl.comparison.budget",
    "RankedBackbone": "keras_tl.evaluation.ranking",
    "Ranking": "keras_tl.evaluation.ranking",
    "RegressionPrediction": "keras_tl.base.results",
    "RegressionPredictions": "keras_tl.base.results",
    "Remedy": "keras_tl.evaluation.remedy",
    "ServingModel": "keras_tl.export.serving",
    "Slice": "keras_tl.evaluation.slices",
    "Slices": "keras_tl.evaluation.slices",
    "Task": "keras_tl.tasks",
    "TextCheck": "keras_tl.data.texts.text_check",
    "TextData": "keras_tl.data.text_data",
    "TextOptions": "keras_tl.data.texts.text_options",
    "TextPreprocessor": "keras_tl.backbones.texts",
    "TextSplit": "keras_tl.data.texts.text_split",
    "Threshold": "keras_tl.evaluation.thresholds",
    "Thresholds": "keras_tl.evaluation.thresholds",
    "TopLoss": "keras_tl.evaluation.losses",
    "TopLosses": "keras_tl.evaluation.losses",
    "Verdict": "keras_tl.comparison.verdict",
    "WordPiecePreprocessor": "keras_tl.backbones.texts",
    "check_new": "keras_tl.base.overwriting",
    "compare": "keras_tl.comparison.comparing",
    "load_preprocessor": "keras_tl.backbones.texts",
    "mean_interval": "keras_tl.evaluation.intervals",
    "overfitting": "keras_tl.learner.functions",
    "rank_backbones": "keras_tl.learner.functions",
    "save_features": "keras_tl.learner.functions",
}

# Maps the short name of each public module to its full name.
_MODULES = {
    "backbones": "keras_tl.backbones",
    "errors": "keras_tl.errors",
    "figures": "keras_tl.learner.figures",
    "serving": "keras_tl.serving",
    "tasks": "keras_tl.tasks",
    "testing": "keras_tl.testing",
    "ulmfit": "keras_tl.ulmfit",
}

__all__ = [
    "POLICIES",
    "Augmentation",
    "Backbone",
    "BackboneSpec",
    "CacheConfig",
    "Calibrated",
    "Calibration",
    "Candidate",
    "Comparison",
    "Cost",
    "CrossValidation",
    "DataOptions",
    "Evaluation",
    "FileCheck",
    "Finding",
    "Findings",
    "FitResult",
    "HeadConfig",
    "History",
    "HubPreprocessor",
    "ImageData",
    "ImageSplit",
    "Interval",
    "KerasHubPreprocessor",
    "KerasTLError",
    "Learner",
    "LearnerOptions",
    "LearningRates",
    "ModelConfig",
    "MultilabelPrediction",
    "MultilabelPredictions",
    "Overfitting",
    "Phase",
    "PhaseRecord",
    "PhaseRecords",
    "Prediction",
    "PredictionRecord",
    "Predictions",
    "Preprocessing",
    "Protocol",
    "RankedBackbone",
    "Ranking",
    "RegressionPrediction",
    "RegressionPredictions",
    "Remedy",
    "ServingModel",
    "Slice",
    "Slices",
    "Task",
    "TextCheck",
    "TextData",
    "TextOptions",
    "TextPreprocessor",
    "TextSplit",
    "Threshold",
    "Thresholds",
    "TopLoss",
    "TopLosses",
    "Verdict",
    "WordPiecePreprocessor",
    "backbones",
    "check_new",
    "compare",
    "errors",
    "figures",
    "load_preprocessor",
    "mean_interval",
    "overfitting",
    "rank_backbones",
    "save_features",
    "serving",
    "tasks",
    "testing",
    "ulmfit",
]


if not TYPE_CHECKING:  # With `__getattr__`, type checkers would accept any attribute of keras_tl.

    def __getattr__(name: str) -> Any:
        if name in _HOMES:
            return getattr(importlib.import_module(_HOMES[name]), name)
        if name in _MODULES:
            return importlib.import_module(_MODULES[name])
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])

"""Draw plots as matplotlib figures, also on machines without a display.

Functions whose names begin with `draw_` draw on axes that the caller passes.
"""

from keras_tl.evaluation.plots.arms import comparison, draw_comparison
from keras_tl.evaluation.plots.items import draw_features, image_grid, pca_plots, prediction_grid
from keras_tl.evaluation.plots.measures import (
    average_precisions,
    confusion,
    draw_scatter,
    metric_figures,
    scatter,
)
from keras_tl.evaluation.plots.probabilities import (
    MOST_CURVES,
    area_texts,
    area_under,
    draw_precision_recall,
    draw_reliability,
    draw_roc,
    lowest,
    precision_recall,
    reliability,
    roc,
    roc_areas,
    roc_curves,
)
from keras_tl.evaluation.plots.style import label_text
from keras_tl.evaluation.plots.training import draw_curve, learning_curves, learning_rates

__all__ = [
    "MOST_CURVES",
    "area_texts",
    "area_under",
    "average_precisions",
    "comparison",
    "confusion",
    "draw_comparison",
    "draw_curve",
    "draw_features",
    "draw_precision_recall",
    "draw_reliability",
    "draw_roc",
    "draw_scatter",
    "image_grid",
    "label_text",
    "learning_curves",
    "learning_rates",
    "lowest",
    "metric_figures",
    "pca_plots",
    "precision_recall",
    "prediction_grid",
    "reliability",
    "roc",
    "roc_areas",
    "roc_curves",
    "scatter",
]

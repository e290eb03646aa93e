"""Names that arguments accept, such as `"adam"` for `optimizer=`, listed only in this module.

Editors offer the names of a `Literal` for completion. Checks at run time read the names of a
`Literal` with `typing.get_args`.
"""

from typing import Literal

Arm = Literal["scratch", "frozen", "fine-tuned"]
AugmentationName = Literal["standard", "no-flip", "randaugment", "mixup", "cutmix"]
BatchNormMode = Literal["affine", "frozen", "live"]
CachePlace = Literal["auto", "memory", "disk", "off"]
ExportFormat = Literal["savedmodel", "litert", "onnx"]
ExportPrecision = Literal["float32", "float16"]
LanguageModelSize = Literal["paper", "fastai", "small", "tiny"]
Monitor = Literal["loss", "metric"]
Objective = Literal["labels", "contrastive"]
# For unreadable items: raise an error, skip the item, or keep the item without a prediction.
OnInvalid = Literal["raise", "skip", "keep"]
OptimizerName = Literal["adam", "adamw", "sgd"]
Outcome = Literal["helps", "no difference", "hurts", "undecided"]
PhaseKind = Literal["head", "fine-tune"]
PolicyName = Literal["standard", "discriminative", "gradual", "ulmfit", "scratch", "contrastive"]
PoolingName = Literal["avg", "max", "flatten", "first", "pooled", "concat"]
Precision = Literal["auto", "float32", "mixed_bfloat16", "mixed_float16"]
PreprocessingName = Literal["none", "tf", "torch", "caffe", "lite"]
Resize = Literal["crop", "pad", "stretch"]
ScheduleName = Literal["constant", "cosine", "linear", "slanted_triangular", "one_cycle"]
# Severities of preflight findings, worst first. error: training cannot work. warning: results may
# be misleading or poor. note: information only.
Severity = Literal["error", "warning", "note"]
SplitName = Literal["train", "validation", "test"]
StrategyName = Literal["auto", "single", "mirrored", "tpu"]

"""Checks of images: size, brightness, and the values that the network's first layers receive."""

import numpy as np

from keras_tl.backbones.catalogue import CATALOGUE
from keras_tl.data.images.headers import image_format, image_size
from keras_tl.data.images.image_split import ImageSplit
from keras_tl.preflight.context import CheckContext
from keras_tl.preflight.findings import Finding, NotChecked
from keras_tl.preflight.input_statistics import at_first_weights, first_statistics
from keras_tl.preflight.value_range import are_too_dark

# `image_sizes` reports images that the model enlarges at least 4 times.
MOST_ENLARGED = 4
# `image_sizes` reports images that the model shrinks at least 8 times: 1 of 64 pixels is left.
MOST_SHRUNK = 8
# `image_sizes` reports a model whose image size is below half of the image size in pretraining.
LEAST_OF_OWN_SIZE = 0.5
# `pixel_range` reports the data if at least half of the images are black. In a black image, 99% of
# the values are at most 2 of 255.
BLACK, MOST_BLACK = 2.0, 0.5
# Limits for the standard deviation of the first BatchNorm layer's input, divided by the standard
# deviation of this input in pretraining. See docs/explanation/check-limits.md.
LOWEST_RATIO, HIGHEST_RATIO = 0.15, 6.0
# Limits for the standard deviation of the input of the first layer with weights. Pixels that are
# scaled once have a standard deviation of 0.5 to 1, raw pixels of about 60.
LOWEST_SCALE, HIGHEST_SCALE = 0.02, 20.0
_HEADERS = 200


def image_sizes(context: CheckContext) -> Finding | None:
    """Find out whether the model's image size suits the images and the pretrained weights."""
    wanted = context.model.config.image_size
    sizes = _sizes(context.train)
    if not len(sizes):
        raise NotChecked("no file header states the size of its image")
    heights, widths = sizes.T
    enlarged = float(np.median(np.maximum(wanted[0] / heights, wanted[1] / widths)))
    shrunk = float(np.median(np.minimum(heights / wanted[0], widths / wanted[1])))
    median = f"{np.median(widths):.0f} x {np.median(heights):.0f}"
    spec = None if context.model.is_random else CATALOGUE.get(context.model.config.backbone)
    own = getattr(spec, "image_size", None)
    if enlarged >= MOST_ENLARGED:
        what = (
            f"The median image has {median} pixels and is enlarged {enlarged:.1f} times to "
            f"{wanted[1]} x {wanted[0]}, which adds no detail."
        )
        action = (
            "A smaller image_size= is faster, but enlarged images often give better results. "
            "Compare both sizes on the validation split."
        )
    elif shrunk >= MOST_SHRUNK:
        most = f", up to {max(own)} for these weights," if own and max(wanted) < max(own) else ""
        what = (
            f"The median image has {median} pixels and is shrunk {shrunk:.1f} times to "
            f"{wanted[1]} x {wanted[0]}: details of less than {shrunk:.0f} pixels are lost."
        )
        action = (
            f"If such details matter, try a larger image_size={most} or cut the images into parts."
        )
    elif own and max(wanted) < LEAST_OF_OWN_SIZE * max(own):
        what = (
            f"The model takes {wanted[1]} x {wanted[0]} pixels, but its weights were trained at "
            f"{own[1]} x {own[0]} (the median image has {median})."
        )
        action = (
            f"Try a larger image_size=, up to {max(own)}: features of much smaller images are "
            "worse."
        )
    else:
        return None
    return Finding("image-size", "note", what, action)


def _sizes(split: ImageSplit) -> np.ndarray:
    """Return the heights and widths of some images, read from file headers: int (n, 2)."""
    if not split.in_files:
        return np.array([split.images.shape[1:3]])
    found = []
    for path in split.sample(_HEADERS, seed=0).images:
        with open(path, "rb") as file:
            content = file.read()
        size = image_size(content, image_format(content))
        if size is not None and min(size) > 0:
            found.append(size[::-1])
    return np.array(found)


def pixel_range(context: CheckContext) -> Finding | None:
    """Find black images, for example images in [0, 1] that are read as [0, 255]."""
    if are_too_dark(context):
        return None
    pixels = context.pixels
    bright = np.percentile(pixels.reshape(len(pixels), -1), 99, axis=1)
    share = float((bright <= BLACK).mean())
    if share < MOST_BLACK:
        return None
    return Finding(
        "pixel-range",
        "warning",
        f"{share:.0%} of {len(pixels)} training images are black: 99% of their values are at most "
        f"{bright.max():.2g} of 255.",
        "If the images were scaled to [0, 1], pass them in [0, 255]: the model itself scales "
        "pixels.",
    )


def preprocessing(context: CheckContext) -> Finding | None:
    """Compare activations inside the network with the activations in pretraining.

    A BatchNorm layer stores mean and variance of its inputs in pretraining. If the pixels of the
    data have another range, the input of the first BatchNorm layer has another variance. In a
    user's network without BatchNorm, the check tests the input of the first layer with weights. The
    check does not test networks of the catalogue without BatchNorm.
    """
    if are_too_dark(context):
        return None
    config, network = context.model.config, context.model.parts.backbone.network
    pixels = context.pixels
    found = first_statistics(network, pixels)
    if found is not None:
        layer, ratio = found
        if LOWEST_RATIO <= ratio <= HIGHEST_RATIO:
            return None
        much = f"{ratio:.2g}" if ratio < 1 else f"{ratio:,.0f}"
        what = (
            f"For {len(pixels)} training images, the input of the network's first BatchNorm layer "
            f"({layer}) has {much} times the standard deviation that it had in pretraining."
        )
    elif config.architecture is None:
        return None
    else:
        seen = at_first_weights(network, pixels)
        if seen is None:
            raise NotChecked(
                "the input of the network's first layer with weights cannot be computed"
            )
        mean, scale = seen
        # Networks from the time of Caffe take pixels that are centred around 0, but not scaled.
        is_raw = scale > HIGHEST_SCALE and mean > scale
        if scale >= LOWEST_SCALE and not is_raw:
            return None
        what = (
            f"The first layer with weights receives values with mean {mean:.3g} and standard "
            f"deviation {scale:.2g}. Expected pixels that are scaled once, to about 1."
        )
    return Finding(
        "preprocessing",
        "warning",
        what,
        "Check preprocess=: 'none' only if the network scales pixels itself, else 'tf', 'torch' or "
        "'caffe', as in the training of the weights. The images must be in [0, 255].",
    )

"""Check whether `value_range` (black, white) suits the values in 16-bit image files."""

from keras_tl.data.images.value_range import ALL_VALUES, SixteenBitRange, values_in_sample
from keras_tl.preflight.context import CheckContext
from keras_tl.preflight.findings import Finding


def value_range(context: CheckContext) -> Finding | None:
    """Find 16-bit values that use only a small part of `value_range`, or lie outside this range."""
    found = _values(context)
    if found is None:
        return None
    given = context.data.value_range
    black, white = given or ALL_VALUES
    low, high = found.fitting
    how = f"value_range=({low}, {high}) (--value-range {low} {high})"
    severity = "warning"
    if not found.count:
        if given is None:
            return None
        what = (
            f"value_range={given} has no effect: none of the {found.files:,} files is a PNG file "
            "with 16 bits per value."
        )
        action = "Leave value_range out, or convert the images to PNG with 16 bits per value."
    elif found.wastes(given):
        levels = 256 * (found.high - black) // (white - black + 1) + 1
        what = (
            f"{found}. With white at {white:,}, these values cover {max(levels, 1):,} of 256 grey "
            "levels: the images are dark."
        )
        action = f"Read the data with {how}, or with the range that your device writes."
    elif found.low < black or found.high > white:
        severity = "note"
        what = f"{found}. Values below {black:,} become black, values above {white:,} become white."
        action = f"If these values matter, read the data with {how}."
    else:
        return None
    return Finding("value-range", severity, what, action)


def are_too_dark(context: CheckContext) -> bool:
    """Return whether images look dark because all 16-bit values are far below white."""
    found = _values(context)
    return found is not None and found.wastes(context.data.value_range)


def _values(context: CheckContext) -> SixteenBitRange | None:
    """Return the range of 16-bit values from the file check, if done, else from a file sample."""
    if not context.train.in_files:
        return None
    check = context.data.checked
    return values_in_sample(context.train.images) if check is None else check.values

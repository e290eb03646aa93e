"""Write synthetic images for benchmarks: distinct JPEG files, about as large as photos.

    python benchmarks/common.py synthetic:write_photos \
        '{"folder": "photos", "count": 100, "height": 375, "width": 500}'

writes `photos/class0/*.jpg` and `photos/class1/*.jpg`.
"""

from pathlib import Path
from typing import Any


def write_photos(
    folder: str, count: int, height: int, width: int, classes: int = 2, seed: int = 0
) -> dict[str, Any]:
    """Write `count` JPEG files with different contents, divided among class folders.

    The images are noise of every scale, strongest at the coarse scales, so that decoding costs
    about as much as for photos of the same size. Each class has its own tint.

    Returns:
        `"bytes"`: total size of the files.
    """
    import tensorflow as tf

    scales = [cell for cell in (128, 64, 32, 16, 8, 4, 2, 1) if cell < max(height, width)]
    tints = tf.random.stateless_uniform((classes, 3), (seed, -1), 60.0, 196.0)

    def encode(index):
        pixels = tints[index % classes]
        for cell in scales:
            shape = (height // cell + 2, width // cell + 2, 3)
            noise = tf.random.stateless_normal(shape, tf.stack([index, seed * 256 + cell]))
            pixels += (
                48 * (cell / scales[0]) ** 0.5 * tf.image.resize(noise, (height, width), "bicubic")
            )
        return tf.io.encode_jpeg(tf.cast(tf.clip_by_value(pixels, 0, 255), tf.uint8), quality=95)

    for label in range(classes):
        Path(folder, f"class{label}").mkdir(parents=True)
    written = 0
    files = tf.data.Dataset.range(count, output_type=tf.int32).map(encode, tf.data.AUTOTUNE)
    for index, content in enumerate(files.prefetch(64).as_numpy_iterator()):
        path = Path(folder, f"class{index % classes}", f"{index:06d}.jpg")
        written += path.write_bytes(content)
    return {"bytes": written}

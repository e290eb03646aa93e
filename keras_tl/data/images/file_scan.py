"""Scan of image files: reads each file once and decodes it, in parallel and with little memory."""

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import tensorflow as tf

from keras_tl.data.images.decoder import decode_image
from keras_tl.data.images.file_check_cache import FileResult
from keras_tl.data.images.headers import START
from keras_tl.data.images.image_issues import damaged, format_problem, image_problem
from keras_tl.data.images.value_range import has_16_bits

# Largest number of files and of bytes in one read, and the number of parallel reads.
_MOST_FILES, _MOST_BYTES, _READERS = 64, 2**23, 4


class FileScan:
    """Scan of a list of image files, to find the files that training cannot use.

    Args:
        paths: Paths of the image files to scan.
        stats: The `os.stat` result of each file.
    """

    def __init__(self, paths: Sequence[str], stats: Sequence[os.stat_result]):
        self._paths, self._stats = paths, stats
        self._findings: dict[int, FileResult] = {}

    def run(self, progress: Callable[[int], None]) -> list[FileResult]:
        """Read and decode all files, and return their results in the order of the files.

        Calls `progress` from time to time with the number of scanned files.
        """
        decoded = np.zeros(len(self._paths), bool)
        for rows in self._decodable():
            decoded[rows.numpy()] = True
            progress(len(self._findings))
        # `ignore_errors` dropped the undecodable files without a message. Decode each of these
        # files again, alone.
        for row in np.flatnonzero(~decoded):
            self._examine_again(int(row))
        progress(len(self._paths))
        return [self._findings[row] for row in range(len(self._paths))]

    def _decodable(self) -> tf.data.Dataset:
        """Return batches of the row numbers of files that can be decoded."""
        ends = np.array([*self._ends()], np.int64)
        parts = tf.data.Dataset.from_tensor_slices((np.r_[0, ends[:-1]], ends))

        def read(start: tf.Tensor, end: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            rows, contents = tf.numpy_function(self._read, [start, end], [tf.int64, tf.string])
            return tf.ensure_shape(rows, (None,)), tf.ensure_shape(contents, (None,))

        def decode(row: tf.Tensor, content: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            return row, _decode(content)

        files = parts.map(read, num_parallel_calls=_READERS, deterministic=False).unbatch()
        decoded = files.map(decode, num_parallel_calls=tf.data.AUTOTUNE, deterministic=False)
        return decoded.ignore_errors().map(lambda row, _: row).batch(_MOST_FILES).prefetch(2)

    def _ends(self) -> Iterator[int]:
        """Divide the files into parts that fit into memory, and yield the end of each part.

        The end is a row number, which is not in the part, as in a Python slice.
        """
        start = size = 0
        for row, stat in enumerate(self._stats):
            if row > start and (row - start == _MOST_FILES or size + stat.st_size > _MOST_BYTES):
                yield row
                start, size = row, 0
            size += stat.st_size
        yield len(self._stats)

    def _read(self, start: int, end: int) -> tuple[np.ndarray, np.ndarray]:
        """Read files. Return the row numbers and contents of the files without a file issue."""
        kept = {}
        for row in range(start, end):
            content = self._examine(row)
            if content is not None:
                kept[row] = content
        # A NumPy array of dtype bytes would lose the zeros at the end of a file.
        contents = np.empty(len(kept), object)
        contents[:] = [*kept.values()]
        return np.array([*kept], np.int64), contents

    def _examine(self, row: int) -> bytes | None:
        """Read a file and record the check result. Return the content, or `None` for a bad file."""
        try:
            with open(self._paths[row], "rb") as file:
                start = file.read(START)
                if problem := format_problem(start):
                    self._note(row, reason=problem)
                    return None
                content = start + file.read()
        except OSError as error:
            self._note(row, reason=f"cannot be read: {error.strerror}", lasting=False)
            return None
        reason = image_problem(content)
        digest = hashlib.sha256(content).hexdigest()[:32]
        self._note(row, digest, reason or "", has_16_bits=has_16_bits(start))
        return None if reason else content

    def _examine_again(self, row: int) -> None:
        found = self._findings.get(row)
        if found and found.reason:
            return
        content = self._examine(row)
        if content is None:
            return
        try:
            _decode(content)
        except tf.errors.InvalidArgumentError:
            self._note(row, reason=damaged(content))

    def _note(self, row: int, digest: str = "", reason: str = "", **others: bool) -> None:
        stat = self._stats[row]
        self._findings[row] = FileResult(stat.st_size, stat.st_mtime_ns, digest, reason, **others)


# TensorFlow traces this function only once in a process, for all checks.
@tf.function(input_signature=[tf.TensorSpec((), tf.string)], autograph=False)
def _decode(content):
    # With the size (1, 1), a JPEG file is decoded at 1/8 of its size, to save time. The decoder
    # still reads all bytes of the file.
    return tf.size(decode_image(content, (1, 1)))

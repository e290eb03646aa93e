"""Pipelines: which images come, in which order, in which batches, augmented or not."""

import dataclasses
import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from keras_tl.data.images.augmentation import AUGMENTATIONS, augmenter, mixes_labels, names_of
from keras_tl.data.images.image_pipeline import ImagePipeline
from keras_tl.data.images.image_split import ImageSplit
from keras_tl.errors import ConfigError, DataError
from tests.conftest import make_small_learner, make_tiny_data

COUNT = 11
PIPELINE = ImagePipeline((4, 4), "stretch")


def from_both(name, values, of_files):
    """Run on arrays with all values, and on files, whose decoder takes long to start, with one."""
    cases = [("arrays", value) for value in values] + [("files", of_files)]
    return pytest.mark.parametrize(("split", name), cases, indirect=["split"])


@pytest.fixture(params=["arrays", "files"])
def split(request, tmp_path):
    """Images whose every pixel is ten times their number, labelled with their number."""
    labels = np.arange(COUNT)
    images = np.zeros((COUNT, 5, 6, 3), np.uint8) + 10 * labels[:, None, None, None]
    images = images.astype(np.uint8)
    if request.param == "files":
        paths = []
        for number, pixels in enumerate(images):
            paths.append(str(tmp_path / f"{number}.jpg"))
            Image.fromarray(pixels).save(paths[-1])
        images = tuple(paths)
    return ImageSplit(images, labels)


def numbers(pixels):
    """The numbers of the images in a batch, which must be uniform as they were."""
    pixels = np.asarray(pixels)
    assert np.ptp(pixels, axis=(1, 2, 3)).max() < 0.01
    return (pixels[:, 0, 0, 0] / 10).round().astype(int).tolist()


def epochs(dataset, count):
    """The numbers of the images of each epoch, in order; labels must have come along."""
    found = []
    for _ in range(count):
        found.append([])
        for pixels, labels in dataset:
            assert numbers(pixels) == labels.numpy().tolist()
            found[-1] += numbers(pixels)
    return found


@from_both("batch_size", [1, 4, 11, 64], of_files=4)
def test_ordered_gives_every_image_once_in_order(split, batch_size):
    dataset = PIPELINE.ordered(split, batch_size)
    batches = [(numbers(pixels), labels.numpy().tolist()) for pixels, labels in dataset]
    found, labels = (list(itertools.chain(*parts)) for parts in zip(*batches, strict=True))
    assert found == labels == list(range(COUNT))
    sizes = [len(part) for part, _ in batches]
    assert sizes[:-1] == [batch_size] * (len(sizes) - 1)
    assert sum(sizes) == COUNT
    assert len(dataset) == len(sizes)
    pixels, labels = dataset.element_spec
    assert (pixels.dtype, pixels.shape.as_list()) == (tf.float32, [None, 4, 4, 3])
    assert (labels.dtype, labels.shape.as_list()) == (tf.int64, [None])


@pytest.mark.parametrize("split", ["arrays"], indirect=True)
def test_pixels_are_those_of_ordered(split):
    pixels = PIPELINE.pixels(split)
    assert pixels.dtype == np.float32
    assert numbers(pixels) == list(range(COUNT))


def check_filled_up(batches, batch_size):
    """All batches are whole; every row came, and as few as possible came evenly more often."""
    assert {len(batch) for batch in batches} == {batch_size}
    assert len(batches) == -(-COUNT // batch_size)
    times = np.bincount([number for batch in batches for number in batch], minlength=COUNT)
    assert times.min() >= 1
    assert np.ptp(times) <= 1


@from_both("batch_size", [1, 4, 10, 11, 12, 25], of_files=4)
def test_padded_gives_whole_batches_in_order(split, batch_size):
    batches = [numbers(batch) for batch in PIPELINE.once(split, batch_size)[0]]
    check_filled_up(batches, batch_size)
    assert [number for batch in batches for number in batch][:COUNT] == list(range(COUNT))


@pytest.mark.parametrize(
    ("split", "batch_size", "seed"),
    [*itertools.product(["arrays"], [4, 11, 25], [None, 0]), ("files", 25, 0)],
    indirect=["split"],
)
def test_batches_can_be_whole_in_training_and_validation_too(split, batch_size, seed):
    whole = ImagePipeline((4, 4), "stretch", whole_batches=True)
    if seed is None:
        dataset = whole.ordered(split, batch_size)
    else:
        dataset = whole.shuffled(split, batch_size, seed)
    for _ in range(2):
        batches = []
        for pixels, labels in dataset:
            batches.append(numbers(pixels))
            assert labels.numpy().tolist() == batches[-1]
        check_filled_up(batches, batch_size)


def test_padded_batches_have_a_size_that_graphs_know(split):
    assert PIPELINE.once(split, 4)[0].element_spec.shape.as_list() == [4, 4, 4, 3]


@pytest.mark.parametrize("split", ["arrays"], indirect=True)
def test_shuffled_gives_every_image_once_an_epoch_in_ever_new_orders(split):
    found = epochs(PIPELINE.shuffled(split, 4, seed=0), 4)
    assert all(sorted(epoch) == list(range(COUNT)) for epoch in found)
    assert len({tuple(epoch) for epoch in found}) == 4
    assert list(range(COUNT)) not in found


@pytest.mark.parametrize("split", ["arrays"], indirect=True)
def test_the_seed_fixes_all_orders(split):
    first, again, other = (epochs(PIPELINE.shuffled(split, 4, seed), 3) for seed in (7, 7, 8))
    assert first == again
    assert all(a != b for a, b in zip(first, other, strict=True))


def noise(count=24, size=12):
    rng = np.random.default_rng(0)
    images = rng.uniform(0, 255, (count, size, size, 3)).astype(np.float32)
    return ImageSplit(images, np.arange(count, dtype=np.int64))


MIXING = ("mixup", "cutmix")


def augmented(kind, seed, count=2):
    """The pixels of some epochs, with their labels as shares of as many classes as images."""
    pipeline = ImagePipeline((12, 12), "crop")
    split = dataclasses.replace(noise(), labels=np.eye(24, dtype=np.float32))
    dataset = pipeline.shuffled(split, 5, seed, augmenter(kind, seed))
    return [
        tuple(np.concatenate(parts) for parts in zip(*dataset.as_numpy_iterator(), strict=True))
        for _ in range(count)
    ]


@pytest.mark.parametrize(
    "kind",
    [pytest.param(x, marks=[pytest.mark.slow] * (x == "randaugment")) for x in AUGMENTATIONS],
)
def test_augmentation_is_new_in_every_epoch_and_repeatable(kind):
    first, again, other = (augmented(kind, seed) for seed in (3, 3, 4))
    for (pixels, labels), (same_pixels, same_labels) in zip(first, again, strict=True):
        np.testing.assert_array_equal(labels, same_labels)
        np.testing.assert_array_equal(pixels, same_pixels)
    # Image by image: neither another order nor another augmentation may pass for the same.
    by_image = [pixels[np.argsort(labels.argmax(axis=1))] for pixels, labels in (*first, *other)]
    share = 0.5 if kind in MIXING else 0.9  # Some images are left as they are, or nearly so.
    for one, two in itertools.combinations(by_image, 2):
        assert (np.abs(one - two).max(axis=(1, 2, 3)) > 1).mean() > share


@pytest.mark.parametrize("kind", AUGMENTATIONS)
def test_augmented_pixels_stay_pixels(kind):
    for pixels, labels in augmented(kind, 0):
        assert pixels.dtype == np.float32
        assert pixels.shape == (24, 12, 12, 3)
        assert pixels.min() >= 0
        assert pixels.max() <= 255
        assert labels.shape == (24, 24)
        np.testing.assert_allclose(labels.sum(axis=1), 1, atol=1e-6)
        if kind not in MIXING:
            assert sorted(labels.argmax(axis=1)) == list(range(24))


@pytest.mark.parametrize("kind", MIXING)
def test_mixed_labels_are_the_shares_of_the_mixed_images(kind):
    # The images are flat in a colour of their class, so that the mean says what is in them.
    labels = np.eye(8, dtype=np.float32)
    flat = np.broadcast_to(np.arange(8).reshape(8, 1, 1, 1) * 30.0, (8, 20, 20, 3))
    pixels, mixed = augmenter([kind], 0)(tf.constant(flat, tf.float32), tf.constant(labels))
    assert ((mixed > 0.05) & (mixed < 0.95)).numpy().any()
    expected = mixed.numpy() @ (np.arange(8) * 30.0)
    # CutMix counts the area before it is rounded to whole pixels.
    tolerance = 1e-3 if kind == "mixup" else 210 * 2 / 20
    np.testing.assert_allclose(pixels.numpy().mean(axis=(1, 2, 3)), expected, atol=tolerance)


def test_several_augmentations_are_applied_in_turn():
    steps = [lambda pixels: pixels + 1, lambda pixels: pixels * 2]
    pixels, labels = augmenter(steps, 0)(tf.ones((1, 2, 2, 3)), tf.ones((1, 1)))
    assert pixels.numpy().max() == pixels.numpy().min() == 4
    assert labels.numpy() == 1
    assert mixes_labels(["standard", "cutmix"])
    assert not mixes_labels(["standard", "no-flip"])


def mirrored_share(kind):
    """How many of 256 images that are brighter to the right come out brighter to the left."""
    ramp = np.linspace(0, 255, 16, dtype=np.float32)[None, None, :, None]
    images = tf.constant(np.broadcast_to(ramp, (256, 16, 16, 3)))
    pixels = augmenter(kind, 0)(images, tf.zeros(256))[0].numpy()
    return (pixels[:, :, :8].mean(axis=(1, 2, 3)) > pixels[:, :, 8:].mean(axis=(1, 2, 3))).mean()


def test_only_standard_mirrors():
    assert mirrored_share("no-flip") == 0
    assert 0.3 < mirrored_share("standard") < 0.7


def test_no_augmentation_is_none():
    assert augmenter(False, 0) is None


def test_records_name_an_augmentation():
    layer = keras.layers.RandomFlip()
    kinds = [False, True, "mixup", layer, abs, ["cutmix", layer]]
    assert [*map(names_of, kinds)] == [
        (),
        ("standard",),
        ("mixup",),
        ("RandomFlip",),
        ("abs",),
        ("cutmix", "RandomFlip"),
    ]


@pytest.mark.parametrize("split", ["arrays"], indirect=True)
def test_an_augmentation_of_ones_own_is_used_as_it_is(split):
    def darken(pixels):
        return pixels * 0.5

    dataset = PIPELINE.shuffled(split, 4, 0, augmenter(darken, 0))
    for pixels, labels in dataset:
        np.testing.assert_allclose(pixels[:, 0, 0, 0], labels.numpy() * 5, atol=0.01)


@pytest.mark.parametrize("kind", ["flip", "Standard", None, 0, ["standard", "flip"]])
def test_an_unknown_augmentation_lists_the_choices(kind):
    with pytest.raises(ConfigError, match=r"Unknown augmentation .*'(standard|no-flip)'"):
        augmenter(kind, 0)


# What is written over a good file; None removes it. And what must be said.
UNREADABLE = {
    "text": (b"not an image at all, whatever its name says", r"Cannot decode .*Repair the file"),
    "empty": (b"", r"Cannot decode .*empty \(0 bytes\)"),
    "few-bytes": (b"\xff\xd8\xff", r"Cannot decode .*truncated JPEG"),
    "missing": (None, r"Cannot read .*No such file.*Restore or remove"),
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_an_unreadable_file_fails_the_pipeline_and_is_named(tmp_path, name):
    content, message = UNREADABLE[name]
    paths = []
    for number in range(4):
        paths.append(tmp_path / f"photo {number}.png")
        Image.new("RGB", (5, 5)).save(paths[-1])
    split = ImageSplit(tuple(map(str, paths)), np.zeros(4, np.int64))
    assert PIPELINE.explain(split) is None
    if content is None:
        paths[2].unlink()
    else:
        paths[2].write_bytes(content)
    if name in ("text", "missing"):  # The decoder takes seconds to start.
        # What the trainer catches, and then asks for the explanation.
        with pytest.raises(tf.errors.OpError):
            PIPELINE.pixels(split)
    with pytest.raises(Exception, match=message) as caught:
        raise PIPELINE.explain(split)
    assert str(paths[2]) in str(caught.value)


def test_arrays_are_never_unreadable():
    assert PIPELINE.explain(noise()) is None


def test_arrays_of_two_shapes_are_not_joined():
    small, large = (ImageSplit(np.zeros((1, x, x, 3)), np.zeros(1, int)) for x in (4, 5))
    with pytest.raises(DataError, match=r"one shape .*Received: \(4, 4, 3\) and \(5, 5, 3\)"):
        small.joined(large)


def darker(pixels):
    return pixels / 2


def broken(pixels):
    raise RuntimeError("no such blur\nsecond line")


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        (print, r"print must return images of .* Received: a value without a known shape"),
        (lambda images: images.numpy(), r"<lambda> failed on .*: AttributeError: .*numpy"),
        (
            ["standard", darker, broken],
            r"broken failed on a batch of images, .*: no such blur|second line",
        ),
        (
            keras.layers.Flatten(),
            r"Flatten must return images of the same shape .* Received: \(None, 3072\)",
        ),
    ],
)
def test_what_cannot_augment_is_refused_before_training(kind, message):
    learner = make_small_learner(make_tiny_data())
    for train in (learner.fit_head, learner.fine_tune):
        with pytest.raises(ConfigError, match=message):
            train(augment=kind)
    assert learner.history == ()

"""Which backbones need no download."""

import pytest

from keras_tl.backbones.building import get_builder
from keras_tl.backbones.catalogue import CATALOGUE
from keras_tl.backbones.local_weights import backbones_without_download, is_file_of
from keras_tl.backbones.weights_packages import find_file

DOWNLOADED = [
    spec.name
    for spec in CATALOGUE.values()
    if spec.weights and not (spec.weights.bundled or spec.weights.package)
]
# A builder makes its network before it asks for the file: seconds for the large ones.
QUICK = {
    "mobilenet",
    "mobilenet_v3_small",
    "vgg16",
}


@pytest.mark.parametrize(
    "name",
    [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in DOWNLOADED],
)
def test_the_file_that_a_constructor_asks_for_is_that_of_its_backbone_only(
    name, tmp_path, monkeypatch, failed_downloads
):
    spec = CATALOGUE[name]
    build = get_builder(spec)
    with pytest.raises(Exception, match="URL fetch failure"):
        build(include_top=False, weights="imagenet", input_shape=(*spec.image_size, 3))
    (file,) = failed_downloads
    assert [other for other in DOWNLOADED if is_file_of(other, file)] == [name]
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    before = backbones_without_download()
    assert name not in before
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / file).touch()
    assert set(backbones_without_download()) == {*before, name}


@pytest.mark.parametrize(
    "file",
    ["vgg16_weights_tf_dim_ordering_tf_kernels.h5", "vgg16.weights.h5", "my_vgg16_notop.h5"],
)
def test_other_files_are_nobody_s(file):
    assert not any(is_file_of(name, file) for name in DOWNLOADED)


def test_bundled_weights_and_installed_packages_are_at_hand(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    expected = ["efficientnet_lite0"] + [
        spec.name
        for spec in CATALOGUE.values()
        if spec.weights and spec.weights.package and find_file(spec.weights.package)
    ]
    assert [*backbones_without_download()] == expected

"""VGG (Simonyan and Zisserman, 2014, arXiv:1409.1556)."""

from keras_tl.backbones.records.family import Family, numbered

_VGG = Family("caffe", "Visual Geometry Group, Oxford", "CC-BY-4.0")

RECORDS = (
    _VGG.record("vgg16", "VGG16", 224, 512, 14_714_688, 0.713, numbered(5)),
    _VGG.record("vgg19", "VGG19", 224, 512, 20_024_384, 0.713, numbered(5)),
)

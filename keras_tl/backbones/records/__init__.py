"""Records of the catalogue, a module for each family of networks."""

from keras_tl.backbones.records import (
    convnext,
    densenet,
    efficientnet,
    inception,
    mobilenet,
    nasnet,
    resnet,
    vgg,
)

# The order of lists of backbones. The backbone with bundled weights comes first.
RECORDS = (
    *efficientnet.RECORDS,
    *mobilenet.RECORDS,
    *resnet.RECORDS,
    *densenet.RECORDS,
    *inception.RECORDS,
    *nasnet.RECORDS,
    *convnext.RECORDS,
    *vgg.RECORDS,
)

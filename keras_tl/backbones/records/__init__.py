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

# Lists of backbones have this order. The backbone with bundled weights comes first.
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

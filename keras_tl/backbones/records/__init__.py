"""Records of all backbones in the catalogue, with one module for each family of networks."""

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

# Lists show the backbones in this order. First comes the backbone with bundled weights.
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

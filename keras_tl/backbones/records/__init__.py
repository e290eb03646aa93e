"""The records of the catalogue, a file for each family of networks."""

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

# In the order in which they are listed: the one whose weights are bundled comes first.
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

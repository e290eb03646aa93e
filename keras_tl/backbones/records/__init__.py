"""Records of all backbones in the catalogue."""

from keras_tl.backbones.records import efficientnet_lite, keras_applications

# Lists show the backbones in this order. First comes the backbone with bundled weights.
RECORDS = (*efficientnet_lite.RECORDS, *keras_applications.RECORDS)

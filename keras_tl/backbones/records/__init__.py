"""Records of all backbones in the catalogue."""

from keras_tl.backbones.records import efficientnet_lite, keras_applications

# Lists of backbones have the order of `RECORDS`. First comes the backbone whose weights keras_tl
# contains.
RECORDS = (*efficientnet_lite.RECORDS, *keras_applications.RECORDS)

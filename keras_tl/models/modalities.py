"""Table of the modalities: images and texts."""

from keras_tl.models.image_modality import ImageModality
from keras_tl.models.modality import Modality
from keras_tl.models.text_modality import TextModality

# Modality by name. To add a modality, add its class to the tuple.
MODALITIES: dict[str, type[Modality]] = {
    modality.item: modality for modality in (ImageModality, TextModality)
}

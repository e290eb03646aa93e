"""What a model is: the source of its backbone, its modality, pooling, head, assembly and device."""

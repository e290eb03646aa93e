"""Build models: load a backbone, choose modality, pooling, head and device, and assemble them."""

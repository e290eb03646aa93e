"""The parts of a model: backbone source, modality, pooling, head, assembly and device."""

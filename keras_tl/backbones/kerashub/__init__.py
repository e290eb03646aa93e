"""KerasHub's networks: load them from presets, and recognise them in rebuilt models."""

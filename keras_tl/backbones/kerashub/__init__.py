"""KerasHub's pretrained networks: loaded from presets, and recognised when built again."""

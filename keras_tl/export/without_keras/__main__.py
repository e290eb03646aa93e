"""What `keras_tl.export.verification` runs: `python -P __main__.py FOLDER [SECONDS]`.

A program of its own, with nothing but TensorFlow and numpy (Keras is barred) and, where the export
needs them, the operations of tensorflow_text. It prints one JSON line, the `findings.Findings`.
"""

import sys
from pathlib import Path

if __name__ == "__main__":
    # TensorFlow imports Keras if it finds it; TF Serving has neither it nor keras_tl.
    sys.modules["keras"] = None
    # In this process `without_keras` is a package by itself.
    sys.path.insert(0, str(Path(__file__).parents[1]))
    from without_keras.replay import main

    main(Path(sys.argv[1]), float(sys.argv[2]) if len(sys.argv) > 2 else 0.0)

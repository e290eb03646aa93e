"""Program that `keras_tl.export.verification` runs: `python -P __main__.py FOLDER [SECONDS]`.

The program uses only TensorFlow, numpy and, if the export needs them, tensorflow_text's operations.
The program blocks the import of Keras. The program prints one line of JSON with fields of
`keras_tl.export.verification.Verification`.
"""

import sys
from pathlib import Path

if __name__ == "__main__":
    # TensorFlow imports Keras if Keras is installed. TF Serving has neither Keras nor keras_tl.
    sys.modules["keras"] = None
    # Import `without_keras` as a top-level package, without its parent keras_tl.
    sys.path.insert(0, str(Path(__file__).parents[1]))
    from without_keras.replay import main

    main(Path(sys.argv[1]), float(sys.argv[2]) if len(sys.argv) > 2 else 0.0)

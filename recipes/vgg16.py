"""VGG16: train a head on the frozen network, then the last block, then all layers.

    python recipes/vgg16.py PHOTOS --out runs/vgg16

PHOTOS has a folder of images for each class, or train/ and test/ with such folders. Keras downloads
the ImageNet weights. Without a network connection, use --weights and the file
vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5 from another machine. Expected: a test accuracy
that rises after each phase. If a phase does not lower the validation loss, it is undone, and the
accuracy stays the same. VGG16 processes about 6 photos of 224 x 224 per second on 2 CPU cores. The
head needs one pass over all photos. An epoch of the second phase takes about as long as this pass,
and an epoch of the third phase three times as long.
"""

import argparse
import dataclasses
from pathlib import Path

import keras_tl as ktl

# VGG16 has no BatchNorm to stabilise activations. So these learning rates are below the defaults.
# The upper layers are trained first, because they are the most specific to ImageNet.
LAST_BLOCK = ktl.Phase(
    name="block5",
    epochs=5,
    learning_rate=1e-4,
    unfreeze="block5",
    optimizer="adamw",
    weight_decay=0.01,
    schedule="cosine",
    warmup=0.1,
)
ALL = dataclasses.replace(LAST_BLOCK, name="all", epochs=3, learning_rate=3e-5, unfreeze="all")


def main() -> None:
    """Train in three phases, and print the test accuracy after each."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("photos", type=Path)
    parser.add_argument("--weights", default="imagenet", help="'imagenet' or a file")
    parser.add_argument("--image-size", type=int, default=224)
    parser.add_argument("--head-epochs", type=int, default=20)
    parser.add_argument("--epochs", type=int, help="epochs of the second and third phase, each")
    parser.add_argument("--out", type=Path, default=Path("runs/vgg16"))
    parser.add_argument("--overwrite", action="store_true", help="replace an earlier run")
    args = parser.parse_args()
    report = args.out.with_suffix(".html")
    ktl.check_new(args.out, report, overwrite=args.overwrite)

    data = ktl.ImageData.from_folder(args.photos, image_size=args.image_size)
    print(data)
    head = ktl.HeadConfig(hidden=(256,), dropout=0.5)
    learner = ktl.Learner("vgg16", data, weights=args.weights, head=head, seed=0)
    print(learner.backbone.blocks)

    learner.fit_head(args.head_epochs)
    print(f"Test accuracy with the network frozen: {learner.evaluate()['accuracy']:.4f}")
    for phase in (LAST_BLOCK, ALL):
        learner.fine_tune(args.epochs, policy=phase)
        print(f"Test accuracy after {phase.name}: {learner.evaluate()['accuracy']:.4f}")

    learner.save(args.out, overwrite=args.overwrite)
    learner.report(report, overwrite=args.overwrite)


if __name__ == "__main__":
    main()

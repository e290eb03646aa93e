"""Build the records of a family of networks from the values that these networks share."""

import dataclasses

from keras_tl.backbones.preprocessing import Preprocessing
from keras_tl.backbones.spec import BackboneSpec, BlockSpec, Weights


@dataclasses.dataclass(frozen=True)
class Family:
    """Values that a group of networks in `keras.applications` shares, such as the weights' source.

    Attributes:
        preprocessing: `Preprocessing` that the weights expect, or its name.
        source: Authors and publisher of the weights.
        licence: SPDX identifier or name of the weights' licence.
        min_size: Smallest side of images that the networks can take, in pixels.
        scales_inside: Whether the networks begin with scaling layers, see `BackboneSpec`.
        top1_source: Publication that states the networks' ImageNet accuracies.
    """

    preprocessing: str | Preprocessing
    source: str
    licence: str
    min_size: int = 32
    scales_inside: bool = False
    top1_source: str = "https://keras.io/api/applications/"

    def records(self, *rows: tuple) -> list[BackboneSpec]:
        """Return a `BackboneSpec` for each row of values.

        Args:
            rows: Tuples of the backbone's name, constructor, side of the training images in pixels,
                number of output channels, number of parameters, top-1 accuracy, and blocks.
        """
        return [
            BackboneSpec(
                name=name,
                builder=f"keras.applications:{constructor}",
                preprocessing=self.preprocessing,
                image_size=(size, size),
                min_size=self.min_size,
                features=features,
                parameters=parameters,
                blocks=blocks,
                weights=Weights(
                    source=f"{self.source}, ported by the Keras authors",
                    licence=self.licence,
                    top1=top1,
                    top1_source=self.top1_source,
                ),
                scales_inside=self.scales_inside,
            )
            for name, constructor, size, features, parameters, top1, blocks in rows
        ]


def numbered(count: int, end: str = "block{}*", first: int = 1) -> tuple[BlockSpec, ...]:
    """Return blocks `block1`, `block2`, ... `{}` in `end` stands for `first`, `first + 1`, ..."""
    return tuple(
        BlockSpec(f"block{number}", end.format(number + first - 1))
        for number in range(1, count + 1)
    )


def from_stem_to_top(count: int) -> tuple[BlockSpec, ...]:
    """Return the blocks of an EfficientNet with `count` numbered blocks."""
    return (BlockSpec("stem", "stem_*"), *numbered(count), BlockSpec("top", "top_*"))

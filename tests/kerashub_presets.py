"""Tiny presets of KerasHub, with random weights, made for tests."""

import string

from tests import hub_modules

LONGEST = 64
WIDTH = 8


def make_bert(folder):
    """BERT with WordPiece."""
    from keras_hub import models

    file = hub_modules.write_vocabulary(folder.with_suffix(".txt"))
    vocabulary = [*file.read_text("utf-8").split(), "[MASK]"]
    backbone = models.BertBackbone(
        vocabulary_size=len(vocabulary),
        num_layers=2,
        num_heads=2,
        hidden_dim=WIDTH,
        intermediate_dim=16,
        max_sequence_length=LONGEST,
    )
    tokenizer = models.BertTokenizer(vocabulary, lowercase=True)
    return _save(folder, backbone, models.BertTextClassifierPreprocessor(tokenizer, LONGEST))


def _roberta_pieces():
    """A vocabulary, by numbers, and the pairs of pieces that are merged."""
    words = ["good", "bad", "film", "the"]
    special = ["<s>", "<pad>", "</s>", "<unk>"]
    letters = [*string.ascii_lowercase, "Ġ"]
    merges, pieces = [], []
    for word in words:
        for end in range(2, len(word) + 1):
            merges.append(f"{word[: end - 1]} {word[end - 1]}")
            pieces.append(word[:end])
    tokens = [*special, *dict.fromkeys([*letters, *pieces]), "<mask>"]
    return {token: number for number, token in enumerate(tokens)}, list(dict.fromkeys(merges))


def write_roberta_tokenizer(file, lower=False, merges=True):
    """A tokenizer.json of the same pieces, as the package tokenizers writes it."""
    import tokenizers

    vocabulary, pairs = _roberta_pieces()
    pairs = [tuple(pair.split()) for pair in pairs] if merges else []
    made = tokenizers.Tokenizer(tokenizers.models.BPE(vocabulary, pairs, unk_token="<unk>"))
    if lower:
        made.normalizer = tokenizers.normalizers.Lowercase()
    made.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.post_processor = tokenizers.processors.RobertaProcessing(
        ("</s>", vocabulary["</s>"]), ("<s>", vocabulary["<s>"]), add_prefix_space=False
    )
    made.save(str(file))
    return file


def make_roberta(folder, layers=2):
    """RoBERTa: pairs of bytes, two separators between texts, one output, no types of tokens."""
    from keras_hub import models

    vocabulary, merges = _roberta_pieces()
    backbone = models.RobertaBackbone(
        vocabulary_size=len(vocabulary),
        num_layers=layers,
        num_heads=2,
        hidden_dim=WIDTH,
        intermediate_dim=16,
        max_sequence_length=LONGEST,
    )
    tokenizer = models.RobertaTokenizer(vocabulary, merges)
    return _save(folder, backbone, models.RobertaTextClassifierPreprocessor(tokenizer, LONGEST))


def make_resnet(folder, size=32):
    """ResNet: a pyramid of feature maps, BatchNorm, images of any size."""
    from keras_hub import layers, models

    backbone = models.ResNetBackbone(
        input_conv_filters=[64],
        input_conv_kernel_sizes=[3],
        stackwise_num_filters=[64, 64],
        stackwise_num_blocks=[1, 1],
        stackwise_num_strides=[1, 2],
        block_type="basic_block",
    )
    converter = layers.ResNetImageConverter(
        image_size=(size, size), scale=[1 / 60, 1 / 50, 1 / 40], offset=[-2.0, -1.5, -1.0]
    )
    return _save(folder, backbone, models.ResNetImageClassifierPreprocessor(converter))


def make_vit(folder, size=32):
    """A vision transformer: a sequence, images of one size."""
    from keras_hub import layers, models

    backbone = models.ViTBackbone(
        image_shape=(size, size, 3),
        patch_size=16,
        num_layers=2,
        num_heads=2,
        hidden_dim=WIDTH,
        mlp_dim=16,
    )
    converter = layers.ViTImageConverter(image_size=(size, size), scale=1 / 127.5, offset=-1.0)
    return _save(folder, backbone, models.ViTImageClassifierPreprocessor(converter))


def _save(folder, backbone, preprocessor):
    backbone.save_to_preset(str(folder))
    preprocessor.save_to_preset(str(folder))
    return folder

"""Tiny modules in the format of TF-Hub: reusable TF2 SavedModels, made for tests.

The interface is described at https://www.tensorflow.org/hub/reusable_saved_models.
"""

import numpy as np
import tensorflow as tf

VOCABULARY = 50
WIDTH = 8
TOKENS = ("input_word_ids", "input_mask", "input_type_ids")


def save_reusable(
    folder, function, inputs, variables, trainable=None, losses=(), traces=(True, False)
):
    """Saves a function as a module, with `trainable=None` meaning all of its variables.

    Without `traces` the function has no argument `training`.
    """
    root = tf.train.Checkpoint(
        variables=variables,
        trainable_variables=variables if trainable is None else trainable,
        regularization_losses=list(losses),
    )
    root.__call__ = tf.function(function)
    for training in traces:
        root.__call__.get_concrete_function(inputs, training=training)
    if not traces:
        root.__call__.get_concrete_function(inputs)
    tf.saved_model.save(root, str(folder))
    return folder


def _weights(rng, variables, name, *shape):
    variable = tf.Variable(rng.normal(0, 0.5, shape), dtype=tf.float32, name=name)
    variables.append(variable)
    return variable


def make_encoder(
    folder,
    layers=2,
    length=None,
    types=True,
    dropout=0.1,
    outputs=("sequence_output", "pooled_output", "default"),
    l2=0.0,
    traces=(True, False),
    trainable=None,
):
    """An encoder of BERT's interface, whose layers mix each token with the masked mean."""
    rng, variables = np.random.default_rng(0), []
    words = _weights(rng, variables, "word_embeddings/embeddings", VOCABULARY, WIDTH)
    if types:
        kinds = _weights(rng, variables, "type_embeddings/embeddings", 2, WIDTH)
    kernels = [
        _weights(rng, variables, f"transformer/layer_{n}/output/kernel", WIDTH, WIDTH)
        for n in range(layers)
    ]
    biases = [
        _weights(rng, variables, f"transformer/layer_{n}/output/bias", WIDTH) for n in range(layers)
    ]
    if {"pooled_output", "default"} & set(outputs):
        pooler = _weights(rng, variables, "pooler_transform/kernel", WIDTH, WIDTH)
    names = TOKENS if types else TOKENS[:2]
    specs = {name: tf.TensorSpec((None, length), tf.int32, name) for name in names}

    def call(inputs, training=False):
        mask = tf.cast(inputs["input_mask"], tf.float32)[..., None]
        x = tf.gather(words, inputs["input_word_ids"])
        if types:
            x += tf.gather(kinds, inputs["input_type_ids"])
        for kernel, bias in zip(kernels, biases, strict=True):
            mean = tf.reduce_sum(x * mask, 1, keepdims=True) / tf.reduce_sum(mask, 1, keepdims=True)
            x = tf.tanh(tf.einsum("blc,cd->bld", x + mean, kernel) + bias)
            if training:
                x = tf.nn.dropout(x, dropout)
        given = {"sequence_output": x}
        if {"pooled_output", "default"} & set(outputs):
            given["pooled_output"] = given["default"] = tf.tanh(x[:, 0] @ pooler)
        return {name: given[name] for name in outputs}

    losses = [tf.function(lambda: l2 * tf.nn.l2_loss(pooler), input_signature=[])] if l2 else []
    chosen = None if trainable is None else [v for v in variables if trainable in v.name]
    return save_reusable(folder, call, specs, variables, chosen, losses, traces)


def make_keras2_encoder(folder, batch_norm=False):
    """An encoder saved by Keras 2's `Model.save`, as the published ones were."""
    import tf_keras

    tf_keras.utils.set_random_seed(0)
    inputs = {name: tf_keras.Input((None,), dtype="int32", name=name) for name in TOKENS}
    x = tf_keras.layers.Embedding(VOCABULARY, WIDTH, name="word_embeddings")(
        inputs["input_word_ids"]
    )
    x += tf_keras.layers.Embedding(2, WIDTH, name="type_embeddings")(inputs["input_type_ids"])
    mask = tf.cast(inputs["input_mask"], tf.bool)[:, None, :]
    for number in range(2):
        attention = tf_keras.layers.MultiHeadAttention(
            2, 4, name=f"transformer/layer_{number}/self_attention"
        )
        x += attention(x, x, attention_mask=mask)
        x = tf_keras.layers.Dropout(0.2)(x)
        norm = (
            tf_keras.layers.BatchNormalization if batch_norm else tf_keras.layers.LayerNormalization
        )
        x = norm(name=f"transformer/layer_{number}/layer_norm")(x)
    pooled = tf_keras.layers.Dense(
        WIDTH, "tanh", kernel_regularizer=tf_keras.regularizers.L2(0.1), name="pooler_transform"
    )(x[:, 0])
    outputs = {"sequence_output": x, "pooled_output": pooled, "encoder_outputs": [x, x]}
    model = tf_keras.Model(inputs, outputs | {"default": pooled})
    model.save(folder, save_format="tf", include_optimizer=False)
    return folder


def make_image_module(folder, size=None, batch_norm=True, maps=False):
    """An image feature vector with dropout, and maybe with BatchNorm: pixels in [0, 1]."""
    rng, variables = np.random.default_rng(1), []
    kernel = _weights(rng, variables, "conv/kernel", 3, 3, 3, WIDTH)
    gamma = _weights(rng, variables, "norm/gamma", WIDTH)
    beta = _weights(rng, variables, "norm/beta", WIDTH)
    trainable = [kernel, gamma, beta]
    mean = tf.Variable(tf.zeros(WIDTH), trainable=False, name="norm/moving_mean")
    variance = tf.Variable(tf.ones(WIDTH), trainable=False, name="norm/moving_variance")

    @tf.function
    def normalised(x, training):
        if training and batch_norm:
            new_mean, new_variance = tf.nn.moments(x, (0, 1, 2))
            mean.assign_add(0.1 * (new_mean - mean))
            variance.assign_add(0.1 * (new_variance - variance))
            return tf.nn.batch_normalization(x, new_mean, new_variance, beta, gamma, 1e-3)
        return tf.nn.batch_normalization(x, mean, variance, beta, gamma, 1e-3)

    def call(pixels, training=False):
        x = normalised(tf.nn.conv2d(pixels, kernel, 2, "SAME"), training)
        x = tf.nn.relu(x)
        if training:
            x = tf.nn.dropout(x, 0.5)
        return x if maps else tf.reduce_mean(x, (1, 2))

    spec = tf.TensorSpec((None, size, size, 3), tf.float32)
    return save_reusable(folder, call, spec, [*variables, mean, variance], trainable)


def make_text_module(folder, trainable=True):
    """A text embedding: words looked up in a table that a vocabulary asset fills."""
    words = ["good", "bad", "film", "the"]
    file = folder.with_suffix(".txt")
    file.write_text("\n".join(words) + "\n", "utf-8")
    rng, variables = np.random.default_rng(2), []
    embeddings = _weights(rng, variables, "embeddings", len(words) + 1, WIDTH)
    initializer = tf.lookup.TextFileInitializer(
        str(file),
        tf.string,
        tf.lookup.TextFileIndex.WHOLE_LINE,
        tf.int64,
        tf.lookup.TextFileIndex.LINE_NUMBER,
    )
    table = tf.lookup.StaticVocabularyTable(initializer, num_oov_buckets=1)

    def call(texts):
        tokens = tf.strings.split(texts)
        ids = tf.RaggedTensor.from_row_splits(table.lookup(tokens.flat_values), tokens.row_splits)
        return tf.reduce_mean(tf.gather(embeddings, ids).to_tensor(), 1)

    root = tf.train.Checkpoint(
        variables=variables, trainable_variables=variables if trainable else [], table=table
    )
    root.__call__ = tf.function(call)
    root.__call__.get_concrete_function(tf.TensorSpec((None,), tf.string))
    tf.saved_model.save(root, str(folder))
    return folder

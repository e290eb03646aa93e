"""Tiny modules in the format of TF-Hub: reusable TF2 SavedModels, made for tests.

The interface is described at https://www.tensorflow.org/hub/reusable_saved_models.
"""

import numpy as np
import tensorflow as tf

VOCABULARY = 62
WIDTH = 8
TOKENS = ("input_word_ids", "input_mask", "input_type_ids")


def write_vocabulary(file, words=("good", "bad", "film", "the", "##s")):
    """BERT's vocab.txt: special tokens, letters, words and pieces of words."""
    letters = [chr(code) for code in range(ord("a"), ord("z") + 1)]
    pieces = [f"##{letter}" for letter in letters if f"##{letter}" not in words]
    tokens = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *words, ".", *letters, *pieces]
    file.write_text("\n".join(tokens) + "\n", "utf-8")
    return file


def save_reusable(
    folder, function, inputs, variables, trainable=None, losses=(), traces=(True, False), **others
):
    """Saves a function as a module, with `trainable=None` meaning all of its variables.

    Without `traces` the function has no argument `training`. `others` are saved with it.
    """
    root = tf.train.Checkpoint(
        variables=variables,
        trainable_variables=variables if trainable is None else trainable,
        regularization_losses=list(losses),
        **others,
    )
    root.__call__ = tf.function(function, autograph=False)
    for training in traces:
        root.__call__.get_concrete_function(inputs, training=training)
    if not traces:
        root.__call__.get_concrete_function(inputs)
    tf.saved_model.save(root, str(folder))
    return folder


def ask_as_tf_serving_does(folder, inputs):
    """The answers of `serving_default` through the loader of TF1."""
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        meta = tf.compat.v1.saved_model.loader.load(session, ["serve"], str(folder))
        signature = meta.signature_def["serving_default"]
        feed = {signature.inputs[name].name: np.asarray(x) for name, x in inputs.items()}
        outputs = {name: output.name for name, output in signature.outputs.items()}
        return session.run(outputs, feed)


def _weights(rng, variables, name, *shape):
    variable = tf.Variable(rng.normal(0, 0.5, shape), dtype=tf.float32, name=name)
    variables.append(variable)
    return variable


def _dropped(x, rate, seed):
    if seed is None:
        return tf.nn.dropout(x, rate)
    return tf.nn.experimental.stateless_dropout(x, rate, seed.assign_add([0, 1]))


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
    seeded=False,
    positions=None,
    with_vocabulary=False,
):
    """An encoder of BERT's interface, whose layers mix each token with the masked mean.

    With `positions` it has an embedding for as many, and reads no longer texts. With
    `with_vocabulary` it holds its vocabulary, as published ones do.
    With `seeded` its dropout has a state of its own, which moves, as in Keras 3.
    """
    rng, variables = np.random.default_rng(0), []
    words = _weights(rng, variables, "word_embeddings/embeddings", VOCABULARY, WIDTH)
    if types:
        kinds = _weights(rng, variables, "type_embeddings/embeddings", 2, WIDTH)
    if positions:
        places = _weights(rng, variables, "position_embedding/embeddings", positions, WIDTH)
    kernels = [
        _weights(rng, variables, f"transformer/layer_{n}/output/kernel", WIDTH, WIDTH)
        for n in range(layers)
    ]
    biases = [
        _weights(rng, variables, f"transformer/layer_{n}/output/bias", WIDTH) for n in range(layers)
    ]
    if {"pooled_output", "default"} & set(outputs):
        pooler = _weights(rng, variables, "pooler_transform/kernel", WIDTH, WIDTH)
    seed = tf.Variable([0, 0], trainable=False, name="transformer/layer_0/dropout/seed")
    names = TOKENS[: 2 + types]
    specs = {name: tf.TensorSpec((None, length), tf.int32, name) for name in names}

    def call(inputs, training=False):
        mask = tf.cast(inputs["input_mask"], tf.float32)[..., None]
        x = tf.gather(words, inputs["input_word_ids"])
        if types:
            x += tf.gather(kinds, inputs["input_type_ids"])
        if positions:
            x += places[: tf.shape(x)[1]]
        for kernel, bias in zip(kernels, biases, strict=True):
            mean = tf.reduce_sum(x * mask, 1, keepdims=True) / tf.reduce_sum(mask, 1, keepdims=True)
            x = tf.tanh(tf.einsum("blc,cd->bld", x + mean, kernel) + bias)
            x = _dropped(x, dropout, seed if seeded else None) if training else x
        given = {"sequence_output": x}
        if {"pooled_output", "default"} & set(outputs):
            given["pooled_output"] = given["default"] = tf.tanh(x[:, 0] @ pooler)
        return {name: given[name] for name in outputs}

    penalty = tf.function(lambda: l2 * tf.nn.l2_loss(pooler), input_signature=[], autograph=False)
    losses = [penalty] * bool(l2)
    chosen = [v for v in variables if trainable is None or trainable in v.name]
    every = [*variables, seed] if seeded else variables
    others = _vocabulary_of(folder) if with_vocabulary else {}
    return save_reusable(folder, call, specs, every, chosen, losses, traces, **others)


def _vocabulary_of(folder):
    """What a published encoder says of its tokens; the vocabulary is beside the folder, too."""
    file = write_vocabulary(folder.with_suffix(".txt"))
    lower_case = tf.Variable(True, trainable=False)
    return {"vocab_file": tf.saved_model.Asset(str(file)), "do_lower_case": lower_case}


def make_keras2_encoder(folder, batch_norm=False):
    """An encoder saved by Keras 2's `Model.save`, as the published ones were."""
    import tf_keras

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
    # Not by Keras's seed, which would stay set for whatever runs next in this process.
    rng = np.random.default_rng(3)
    for variable in model.trainable_variables:
        if len(variable.shape) > 1:
            variable.assign(rng.normal(0, 0.3, variable.shape))
    for name, value in _vocabulary_of(folder).items():
        setattr(model, name, value)
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

    @tf.function(autograph=False)
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


def make_text_module(folder, trainable=True, words=("good", "bad", "film", "the")):
    """A text embedding: words looked up in a table that a vocabulary asset fills."""
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
        # Not of a padded tensor: what a text gives would depend on the others of its batch.
        return tf.reduce_sum(tf.gather(embeddings, ids), 1)

    root = tf.train.Checkpoint(
        variables=variables, trainable_variables=variables if trainable else [], table=table
    )
    root.__call__ = tf.function(call, autograph=False)
    root.__call__.get_concrete_function(tf.TensorSpec((None,), tf.string))
    tf.saved_model.save(root, str(folder))
    return folder


def make_preprocessor(folder, vocabulary, length=8, parts=True):
    """A preprocessing module, its parts traced as those of the TensorFlow Model Garden are."""
    import tensorflow_text

    tokens = vocabulary.read_text("utf-8").split("\n")
    start, end = tokens.index("[CLS]"), tokens.index("[SEP]")
    tokenizer = tensorflow_text.BertTokenizer(
        str(vocabulary), token_out_type=tf.int32, lower_case=True
    )

    def pack(segments, seq_length=length):
        flat = [x.merge_dims(1, -1) if x.shape.rank > 2 else x for x in segments]
        trimmer = tensorflow_text.RoundRobinTrimmer(seq_length - len(flat) - 1)
        words, kinds = tensorflow_text.combine_segments(trimmer.trim(flat), start, end)
        words, mask = tensorflow_text.pad_model_inputs(words, seq_length)
        kinds, _ = tensorflow_text.pad_model_inputs(kinds, seq_length)
        return dict(zip(TOKENS, (words, tf.cast(mask, tf.int32), kinds), strict=True))

    texts = tf.TensorSpec((None,), tf.string)
    root = tf.train.Checkpoint(tokenizer=tokenizer)
    # To convert tensorflow_text's own code takes longer than all else.
    root.__call__ = tf.function(lambda texts: pack([tokenizer.tokenize(texts)]), autograph=False)
    root.__call__.get_concrete_function(texts)
    if parts:
        root.tokenize = tf.train.Checkpoint()
        root.tokenize.__call__ = tf.function(
            tokenizer.tokenize, input_signature=[texts], autograph=False
        )
        root.bert_pack_inputs = tf.train.Checkpoint()
        root.bert_pack_inputs.__call__ = tf.function(pack, autograph=False)
        for count in (1, 2):
            # Of words and their pieces, as `tokenize` gives them.
            segments = [tf.RaggedTensorSpec([None] * 3, tf.int32)] * count
            root.bert_pack_inputs.__call__.get_concrete_function(
                segments, seq_length=tf.TensorSpec((), tf.int32)
            )
    tf.saved_model.save(root, str(folder))
    return folder


def make_minilm(folder, backbone):
    """KerasHub's BERT as a module: the same variables, by their paths."""
    specs = {name: tf.TensorSpec((None, None), tf.int32, name) for name in TOKENS}

    def call(inputs, training=False):
        theirs = {
            "token_ids": inputs["input_word_ids"],
            "padding_mask": inputs["input_mask"],
            "segment_ids": inputs["input_type_ids"],
        }
        outputs = backbone(theirs, training=training)
        return {name: outputs[name] for name in ("sequence_output", "pooled_output")}

    # The seeds of its dropout, which training moves, are variables too.
    variables = [variable.value for variable in backbone.variables]
    trainable = [variable.value for variable in backbone.trainable_variables]
    return save_reusable(folder, call, specs, variables, trainable)

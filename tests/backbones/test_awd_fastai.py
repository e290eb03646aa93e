"""fastai's language models: both layouts of PyTorch's files, parity, the vocabulary, attacks."""

import contextlib
import io
import os
import pickle
import struct
import sys
import tarfile
import types
import zipfile
from collections import OrderedDict

import numpy as np
import pytest

from keras_tl.backbones.torch_files import read_tensors
from keras_tl.errors import WeightsError
from keras_tl.ulmfit import load_fastai, load_language_model

# 20 tokens: fastai 1's marks in its order, words, white space, one word twice, the filling.
TOKENS = [
    *("xxunk", "xxpad", "xxbos", "xxeos", "xxfld", "xxmaj", "xxup", "xxrep", "xxwrep"),
    *("the", "cat", "\n", "sat", "the", " \n ", ".", "", "do", "xxfake", "xxfake"),
]
ROWS, WIDTH, UNITS = len(TOKENS), 4, 6
KINDS = {"f4": "FloatStorage", "f2": "HalfStorage", "f8": "DoubleStorage", "i8": "LongStorage"}


class Tensor:
    """What PyTorch writes of a tensor: a call on a storage, which has a persistent id."""

    def __init__(self, storage, offset=0, size=None, strides=None):
        array = np.ascontiguousarray(storage)
        steps = tuple(step // array.itemsize for step in array.strides)
        self.storage = storage if storage.ndim == 1 else array.reshape(-1)
        self.offset = offset
        self.size = array.shape if size is None else size
        self.strides = steps if strides is None else strides

    def __reduce__(self):
        place = self.storage, self.offset, self.size, self.strides
        return sys.modules["torch._utils"]._rebuild_tensor_v2, (*place, False, OrderedDict())


class Parameter:
    """The same of a parameter."""

    def __init__(self, *parts):
        self.tensor = Tensor(*parts)

    def __reduce__(self):
        function = sys.modules["torch._utils"]._rebuild_parameter
        return function, (self.tensor, True, OrderedDict())


@contextlib.contextmanager
def pytorch():
    """Modules with the names that PyTorch's files name, and nothing in them."""
    torch, utils = types.ModuleType("torch"), types.ModuleType("torch._utils")
    for name in KINDS.values():
        setattr(torch, name, type(name, (), {"__module__": "torch"}))
    for name in ("_rebuild_tensor_v2", "_rebuild_parameter"):
        function = types.FunctionType((lambda: None).__code__, {}, name)
        function.__module__, function.__qualname__ = "torch._utils", name
        setattr(utils, name, function)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "torch", torch)
        patch.setitem(sys.modules, "torch._utils", utils)
        yield torch


class Pickler(pickle.Pickler):
    """Gives each storage a key, and remembers it."""

    def __init__(self, file, torch, views=()):
        super().__init__(file, protocol=2)
        self.torch, self.views, self.storages = torch, views, {}

    def persistent_id(self, obj):
        if not isinstance(obj, np.ndarray):
            return None
        keys = [key for key, storage in self.storages.items() if storage is obj]
        key = keys[0] if keys else str(len(self.storages))
        self.storages[key] = obj
        kind = getattr(self.torch, KINDS[obj.dtype.str[1:]])
        return ("storage", kind, key, "cuda:0", obj.size, *self.views)


def legacy(state, view=None, order=reversed, count=len):
    """A file as PyTorch wrote it before 1.6."""
    file = io.BytesIO()
    with pytorch() as torch:
        for value in (0x1950A86A20F9469CFC6C, 1001, {"little_endian": False}):
            pickle.dump(value, file, protocol=2)
        pickler = Pickler(file, torch, [view])
        pickler.dump(state)
        keys = list(order(sorted(pickler.storages)))
        pickle.dump(keys, file, protocol=2)
    for key in keys:
        storage = pickler.storages.get(key, np.zeros(1, np.float32))
        file.write(struct.pack("<q", count(storage)) + storage.tobytes())
    return file.getvalue()


def zipped(state, root="lstm_fwd", order="little", packing=zipfile.ZIP_STORED, cut=0):
    """A file as PyTorch has written it since 1.6."""
    file, pickled = io.BytesIO(), io.BytesIO()
    with pytorch() as torch:
        pickler = Pickler(pickled, torch)
        pickler.dump(state)
    with zipfile.ZipFile(file, "w", packing) as archive:
        archive.writestr(f"{root}/data.pkl", pickled.getvalue())
        if order:
            archive.writestr(f"{root}/byteorder", order)
        for key, storage in pickler.storages.items():
            values = storage.astype(storage.dtype.newbyteorder(">" if order == "big" else "<"))
            archive.writestr(f"{root}/data/{key}", values.tobytes()[cut:])
        archive.writestr(f"{root}/version", "3\n")
    return file.getvalue()


def make_arrays(layers=3, dtype=np.float32):
    """The weights of a language model by fastai's names."""
    draws = np.random.default_rng(0)

    def draw(*shape):
        return draws.normal(size=shape).astype(dtype)

    embedding, before = draw(ROWS, WIDTH), WIDTH
    arrays = {"0.encoder.weight": embedding, "0.encoder_dp.emb.weight": embedding}
    for n in range(layers):
        units = WIDTH if n == layers - 1 else UNITS
        arrays |= {
            f"0.rnns.{n}.weight_hh_l0_raw": draw(4 * units, units),
            f"0.rnns.{n}.module.weight_ih_l0": draw(4 * units, before),
            # As training left it, with weights dropped.
            f"0.rnns.{n}.module.weight_hh_l0": np.zeros((4 * units, units), dtype),
            f"0.rnns.{n}.module.bias_ih_l0": draw(4 * units),
            f"0.rnns.{n}.module.bias_hh_l0": draw(4 * units),
        }
        before = units
    return arrays | {"1.decoder.weight": embedding, "1.decoder.bias": draw(ROWS)}


def make_state(arrays):
    """A state dict, in which equal tensors share their storage."""
    tensors = {id(array): Tensor(array) for array in arrays.values()}
    state = OrderedDict((name, tensors[id(array)]) for name, array in arrays.items())
    state._metadata = OrderedDict({"": {"version": 1}})
    return state


ARRAYS = make_arrays()
STATE = make_state(ARRAYS)
VOCABULARY = pickle.dumps(TOKENS)


def write_folder(path, weights=None, vocabulary=VOCABULARY, name="lstm_fwd.pth"):
    path.mkdir(exist_ok=True)
    (path / name).write_bytes(legacy(STATE) if weights is None else weights)
    (path / "itos_wt103.pkl").write_bytes(vocabulary)
    return path


def write_archive(folder, **options):
    """The folder in a .tgz, as fastai publishes it."""
    write_folder(folder, **options)
    path = folder.with_suffix(".tgz")
    with tarfile.open(path, "w:gz") as archive:
        archive.add(folder, folder.name)
    return path


def forward(arrays, tokens, layers):
    """PyTorch's LSTM (torch.nn.LSTM's documentation) and the tied decoder, in float64."""
    arrays = {name: array.astype(np.float64) for name, array in arrays.items()}

    def sigmoid(values):
        return 1 / (1 + np.exp(-values))

    inputs = arrays["0.encoder.weight"][tokens]
    for n in range(layers):
        of_inputs = arrays[f"0.rnns.{n}.module.weight_ih_l0"]
        of_states = arrays[f"0.rnns.{n}.weight_hh_l0_raw"]
        bias_of_inputs = arrays[f"0.rnns.{n}.module.bias_ih_l0"]
        bias_of_states = arrays[f"0.rnns.{n}.module.bias_hh_l0"]
        state = cell = np.zeros((len(tokens), of_states.shape[1]))
        outputs = []
        for step in range(tokens.shape[1]):
            gates = inputs[:, step] @ of_inputs.T + bias_of_inputs
            gates += state @ of_states.T + bias_of_states
            i, f, g, o = np.split(gates, 4, axis=1)
            cell = sigmoid(f) * cell + sigmoid(i) * np.tanh(g)
            state = sigmoid(o) * np.tanh(cell)
            outputs.append(state)
        inputs = np.stack(outputs, 1)
    return inputs @ arrays["1.decoder.weight"].T + arrays["1.decoder.bias"]


@pytest.mark.parametrize(
    ("weights", "layers", "dtype"),
    [
        (legacy, 3, np.float32),
        (zipped, 3, np.float32),
        (lambda state: zipped(state, order="big"), 2, np.float64),
        (lambda state: legacy({"model": state, "opt": {"lr": 0.1, "steps": [1]}}), 1, np.float16),
    ],
    ids=["legacy", "zip", "big-endian-double", "with-optimizer-half"],
)
def test_the_network_answers_as_pytorchs_would(tmp_path, weights, layers, dtype):
    arrays = make_arrays(layers, dtype)
    model = load_fastai(write_folder(tmp_path, weights(make_state(arrays))))
    config = model.config
    assert (config.vocabulary_size, config.embedding_size, config.layers) == (ROWS, WIDTH, layers)
    assert config.widths == (*[UNITS] * (layers - 1), WIDTH)
    assert (config.input_dropout, config.weight_dropout) == (0.25, 0.2)
    tokens = np.random.default_rng(1).integers(0, ROWS, (3, 7))
    np.testing.assert_allclose(model.network(tokens), forward(arrays, tokens, layers), atol=1e-5)


def test_an_archive_becomes_an_ordinary_language_model(tmp_path):
    model = load_fastai(write_archive(tmp_path / "wt103-fwd"))
    assert model.about == {
        "source": "fastai",
        "files": ["wt103-fwd.tgz", "lstm_fwd.pth", "itos_wt103.pkl"],
        "renamed_tokens": 6,
    }
    model.save(tmp_path / "model")
    loaded = load_language_model(tmp_path / "model")
    assert (loaded.about, loaded.vocabulary) == (model.about, model.vocabulary)
    texts = loaded.tokenizer(["The CAT sat.", "dog"])
    words = [[loaded.vocabulary.tokens[n] for n in row] for row in texts.to_list()]
    assert words == [
        ["xxbos", "xxmaj", "the", "xxup", "cat", "sat", "."],
        ["xxbos", "xxunk"],
    ]
    numbers = texts.to_tensor()
    np.testing.assert_array_equal(loaded.network(numbers), model.network(numbers))


def test_tokens_that_no_text_can_hold_are_renamed_in_their_place(tmp_path):
    tokens = load_fastai(write_folder(tmp_path)).vocabulary.tokens
    renamed = {n: f"UNUSED_{n}" for n in (9, 11, 14, 16, 18, 19)}
    assert tokens == tuple(renamed.get(n, token) for n, token in enumerate(TOKENS))
    # Half of a surrogate pair has no UTF-8.
    model = load_fastai(write_folder(tmp_path, vocabulary=pickle.dumps([*TOKENS[:-1], "\ud800"])))
    assert model.vocabulary.tokens == tokens
    written = " ".join(tokens) + " xxfake \n unused_9"
    made = {model.vocabulary.tokens[n] for n in model.tokenizer([written]).values.numpy()}
    assert not made & set(renamed.values())


def test_tensors_are_the_parts_of_their_storages():
    storage = np.arange(12, dtype=np.int64)
    state = {
        "whole": Tensor(storage),
        "turned": Tensor(storage, 1, (3, 2), (1, 5)),
        "parameter": Parameter(storage, 4, (2,), (3,)),
        "scalar": Tensor(storage, 7, (), ()),
        "one": Tensor(storage, 11, (1, 1), (2**70, 9)),
        "number": 3,
    }
    expected = {
        "whole": storage.tolist(),
        "turned": [[1, 6], [2, 7], [3, 8]],
        "parameter": [4, 7],
        "scalar": 7,
        "one": [[11]],
    }
    for data in (legacy(state), zipped(state), zipped(state, "archive", order=None)):
        found = read_tensors(data, "it")
        assert {name: array.tolist() for name, array in found.items()} == expected
        assert {array.dtype for array in found.values()} == {np.dtype(np.int64)}


OUTSIDE = {
    "offset": (10, (3,), (1,)),
    "stride": (0, (3, 2), (5, 2)),
    "negative-offset": (-1, (2,), (1,)),
    "negative-stride": (3, (2,), (-1,)),
    "negative-size": (0, (-1, -2), (1, 1)),
    "empty": (0, (0,), (1,)),
    "far": (2**80, (1,), (1,)),
    "large": (0, (2**40, 2**40), (1, 1)),
    "repeated": (0, (10**6, 10**6), (0, 0)),
    "uneven": (0, (2, 2), (1,)),
    "no-numbers": (0, ("2",), (1,)),
    "half": (0.5, (2,), (1,)),
}


@pytest.mark.parametrize("write", [legacy, zipped])
@pytest.mark.parametrize("name", OUTSIDE)
def test_a_tensor_outside_of_its_storage_is_refused(write, name):
    data = write({"weight": Tensor(np.zeros(12, np.float32), *OUTSIDE[name])})
    with pytest.raises(
        WeightsError, match=r"^Cannot read it: .* Copy or download the file again\.$"
    ):
        read_tensors(data, "it")


SMALL = {"weight": Tensor(np.arange(6, dtype=np.float32))}


@pytest.mark.parametrize("write", [legacy, zipped])
def test_a_file_cut_short_anywhere_is_refused(write):
    data = write(SMALL)
    for length in range(len(data)):
        with pytest.raises(WeightsError, match="Cannot read it: "):
            read_tensors(data[:length], "it")


def with_header(*values):
    return b"".join(pickle.dumps(value, protocol=2) for value in values)


DAMAGED = {
    "magic": (with_header(1, 1001, {}, {}, []), "does not begin like a file of torch.save"),
    "version": (with_header(0x1950A86A20F9469CFC6C, 1002, {}, {}, []), "does not begin like a"),
    "no-state": (legacy([1, 2]), "contains an object of type list, not a state dict"),
    "views": (
        legacy(SMALL, view=("1", 0, 2)),
        "contains storages other than FloatStorage",
    ),
    "listed": (
        legacy(SMALL, order=lambda keys: [*keys, "7"]),
        "use storages that differ from those in the file's list",
    ),
    "counted": (legacy(SMALL, count=lambda _: 2**62), "storage '0' does not have 6 values"),
    "zip-counted": (zipped(SMALL, cut=4), "storage '0' does not have 6 values"),
    "packed": (zipped(SMALL, packing=zipfile.ZIP_DEFLATED), "the archive is compressed"),
    "numbered": (b"\x80\x02]r\xff\xff\xff\x7f.", "uses the object number 2147483647"),
    "no-pickle": (b"PK\x05\x06" + bytes(18), "Cannot read it"),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_a_file_of_another_kind_is_refused(name):
    data, reason = DAMAGED[name]
    with pytest.raises(WeightsError, match=reason):
        read_tensors(data, "it")


class Call:
    """A pickle of it calls a function with arguments."""

    def __init__(self, function, *arguments):
        self.reduced = function, arguments

    def __reduce__(self):
        return self.reduced


RUN = "import pathlib; pathlib.Path('ran').touch()"
# What a pickle asks for first, and the pickle.
ATTACKS = {
    "posix.system": pickle.dumps(Call(os.system, "touch ran")),
    "__builtin__.exec": pickle.dumps(Call(exec, RUN), protocol=2),
    "builtins.eval": pickle.dumps({"model": [Call(eval, f"exec({RUN!r})")]}),
    # A call of what a call gives.
    "builtins.getattr": b"cbuiltins\ngetattr\n(cos\n__dict__\nS'system'\ntR(S'touch ran'\ntR.",
    "os.system": b"(S'touch ran'\nios\nsystem\n.",
    "numpy.dtype": pickle.dumps(np.dtype("f4")),
    "torch.BFloat16Storage": b"\x80\x02ctorch\nBFloat16Storage\n.",
}


@pytest.mark.parametrize("where", ["first", "object", "zip", "vocabulary"])
@pytest.mark.parametrize("asked", ATTACKS)
def test_nothing_that_a_file_asks_for_is_run(tmp_path, monkeypatch, where, asked):
    monkeypatch.chdir(tmp_path)
    raw = ATTACKS[asked]
    if where == "zip":
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr("archive/data.pkl", raw)
        weights = file.getvalue()
    else:
        weights = {
            "first": raw,
            "object": with_header(0x1950A86A20F9469CFC6C, 1001, {}) + raw,
            "vocabulary": legacy(STATE),
        }[where]
    path = write_folder(tmp_path / "model", weights, raw if where == "vocabulary" else VOCABULARY)
    with pytest.raises(WeightsError, match=f"refers to '{asked}', which keras_tl does not load"):
        load_fastai(path)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("data", "reason"), [(b"no archive", "not a gzip file"), (None, ".*No such file.*")]
)
def test_what_is_no_archive_is_refused(tmp_path, data, reason):
    path = tmp_path / "wt103.tgz"
    if data is not None:
        path.write_bytes(data)
    with pytest.raises(WeightsError, match=rf"wt103\.tgz' \({reason}\)\. Expected fastai's"):
        load_fastai(path)


def test_an_archive_cut_short_anywhere_is_refused(tmp_path):
    path = write_archive(tmp_path / "wt103-fwd")
    whole = path.read_bytes()
    for length in range(0, len(whole) - 100, 97):  # At its end there is nothing to miss.
        path.write_bytes(whole[:length])
        with pytest.raises(WeightsError, match=r"Cannot read|Expected one weights file"):
            load_fastai(path)


def test_a_model_that_reads_backward_is_refused(tmp_path):
    path = write_archive(tmp_path / "wt103-bwd", name="lstm_bwd.pth")
    with pytest.raises(WeightsError, match=r"lstm_bwd\.pth, a model that reads texts backwards"):
        load_fastai(path)
    # Beside the other one it does not matter, and nor does what a file system hides.
    folder = write_folder(tmp_path / "wt103-bwd")
    (folder / "._lstm_fwd.pth").touch()
    assert load_fastai(folder).about["files"][1] == "lstm_fwd.pth"


@pytest.mark.parametrize(
    ("names", "found"),
    [
        ((), "nothing"),
        (("a.pth",), r"a\.pth"),
        (("a.pth", "b.pth", "c.pkl"), "a.pth, b.pth, c.pkl"),
    ],
)
def test_one_file_of_each_kind_is_wanted(tmp_path, names, found):
    for name in names:
        (tmp_path / name).touch()
    with pytest.raises(WeightsError, match=rf"Expected one weights file .* contains: {found}\.$"):
        load_fastai(tmp_path)


def without(*names):
    return {name: array for name, array in ARRAYS.items() if name not in names}


RECURRENT = [f"0.rnns.{n}.weight_hh_l0_raw" for n in range(3)]
# What is wrong with the weights.
MISFITS = {
    "no-embedding": (without("0.encoder.weight"), r"0\.encoder\.weight .* Received: none"),
    "encoder-alone": (
        {"encoder.weight": ARRAYS["0.encoder.weight"]},
        "Received: none.*its encoder",
    ),
    "flat": (
        ARRAYS | {"0.encoder.weight": np.zeros(8)},
        r"weight of shape \(rows, columns\). Received: \(8,\)",
    ),
    "qrnn": (without(*RECURRENT), r"0\.rnns\.0\.weight_hh_l0_raw .*AWD_LSTM without QRNN"),
    "no-bias": (without("1.decoder.bias"), r"1\.decoder\.bias of shape \(20,\). Received: none"),
    "gap": (without(RECURRENT[1]), r"0\.rnns\.1\.\S+ of shape .*Received: \(24"),
    "gates": (
        ARRAYS | {"0.rnns.1.module.bias_hh_l0": np.zeros(23)},
        r"0\.rnns\.1\.module\.bias_hh_l0 of shape \(24,\). Received: \(23,\)",
    ),
    "untied": (ARRAYS | {"1.decoder.weight": np.zeros((ROWS, WIDTH))}, "with tied weights"),
}


@pytest.mark.parametrize("name", MISFITS)
def test_weights_of_another_model_are_refused(tmp_path, name):
    arrays, reason = MISFITS[name]
    path = write_folder(tmp_path, legacy(make_state(arrays)))
    with pytest.raises(WeightsError, match=rf"lstm_fwd\.pth: expected .*{reason}"):
        load_fastai(path)


VOCABULARIES = {
    "short": (TOKENS[:-1], "lists 19 tokens, but the weights are for 20"),
    "fastai-0.7": (["_unk_", "_pad_", *TOKENS[2:]], "lacks xxunk, xxpad. Expected a vocabulary"),
    "no-capitals": ([t for t in TOKENS if t != "xxmaj"] + ["a"], r"lacks xxmaj\."),
    "no-list": (dict.fromkeys(TOKENS), "is not a vocabulary. Expected a list"),
    "numbers": ([*TOKENS[:-1], 3], "is not a vocabulary. Expected a list"),
}


@pytest.mark.parametrize("name", VOCABULARIES)
def test_a_vocabulary_that_is_not_the_weights_is_refused(tmp_path, name):
    tokens, reason = VOCABULARIES[name]
    path = write_folder(tmp_path, vocabulary=pickle.dumps(tokens))
    with pytest.raises(WeightsError, match=rf"itos_wt103\.pkl:? {reason}"):
        load_fastai(path)

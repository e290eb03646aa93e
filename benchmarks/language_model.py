"""Measure the speed and the perplexity of an AWD-LSTM language model, pretrained on text files.

    python benchmarks/language_model.py
    python benchmarks/language_model.py --all --epochs 12 --keep lm/
    python benchmarks/language_model.py --all --more prose.txt --words 14000 --rows 64 --keep lm/

The benchmark trains on the validation text of WikiText-2. It measures the perplexity on the first
fifth of the test text, before training and after every epoch. With `--all`, it trains on all but
the last tenth of both texts, and tests on that tenth. `--more` adds the lines of another file to
the training (`prose.py` makes such a file). Training runs in a new process, which first tokenises
the texts. `seconds` is the time of the training with its evaluations. `tokens_per_second` is the
number of trained tokens divided by `seconds`.

`--keep FOLDER` saves the model in a folder for `keras_tl.ulmfit.load_language_model`.
"""

import argparse
import dataclasses
import sys
import tempfile
from pathlib import Path
from typing import Any

import common


def train(
    data: str,
    everything: bool,
    more: str | None,
    words: int,
    size: str,
    epochs: int,
    rate: float,
    rows: int,
    keep: str,
) -> dict[str, Any]:
    """Pretrain a model, and return the results. Call this function in a new process."""
    from keras_tl import ulmfit
    from keras_tl.ulmfit.language_modelling import read_texts

    texts, held_out = (read_texts([Path(data) / f"{name}.txt"]) for name in ("valid", "test"))
    if everything:
        texts += held_out
        count = round(len(texts) / 10)
        texts, held_out = texts[:-count], texts[-count:]
    else:
        held_out = held_out[: len(held_out) // 5]
    if more is not None:
        texts = read_texts([Path(more)]) + texts
    phase = dataclasses.replace(
        ulmfit.PRETRAINING, epochs=epochs, learning_rate=rate, batch_size=rows
    )
    model = ulmfit.pretrain(
        texts,
        keep,
        size=size,
        validation=held_out,
        vocabulary=ulmfit.VocabularyLimits(words),
        phase=phase,
    )
    tokens = model.tokenizer.stream(held_out)
    random = ulmfit.LanguageModel.new(model.config, model.vocabulary, seed=0)
    (record,) = model.about["history"]
    done = model.about["tokens"] * len(record["epochs"])
    return {
        "vocabulary": len(model.vocabulary),
        "parameters": model.network.count_params(),
        "tokens": model.about["tokens"],
        "validation_tokens": len(tokens),
        "unknown": float((tokens == model.vocabulary.number("xxunk")).mean()),
        "before": ulmfit.perplexity(random, tokens, batch_size=rows),
        "epochs": [epoch["val_perplexity"] for epoch in record["epochs"]],
        "seconds": record["seconds"],
        "tokens_per_second": done / record["seconds"],
    }


def main() -> None:
    """Train, and print the perplexity after each epoch."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    shared = common.ROOT.parent / "shared/data/wikitext2"
    parser.add_argument("--data", type=Path, default=shared, help="folder of valid.txt, test.txt")
    parser.add_argument("--all", action="store_true", help="train on nine tenths of both texts")
    parser.add_argument("--more", type=Path, help="file of more texts, one in each line")
    parser.add_argument("--words", type=int, default=60_000, help="largest vocabulary")
    parser.add_argument("--size", default="small")
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--rate", type=float, default=3e-3, help="peak learning rate")
    parser.add_argument("--rows", type=int, default=32, help="rows in a batch")
    parser.add_argument("--keep", type=Path, help="folder in which to save the model")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    if not args.data.is_dir():
        print(f"Skipped: there is no folder {args.data}.")
        sys.exit()
    result = {"machine": common.machine(), "size": args.size, "rows": args.rows}
    with tempfile.TemporaryDirectory() as temporary:
        result |= common.fresh(
            "language_model:train",
            data=args.data,
            everything=args.all,
            more=args.more,
            words=args.words,
            size=args.size,
            epochs=args.epochs,
            rate=args.rate,
            rows=args.rows,
            keep=args.keep or Path(temporary) / "model",
        )
    rows = [["before", f"{result['before']:,.0f}"]]
    rows += [[f"epoch {n}", f"{value:,.1f}"] for n, value in enumerate(result["epochs"], 1)]
    lines = [
        f"{args.size}, {result['parameters']:,} parameters, vocabulary {result['vocabulary']:,}",
        f"{result['tokens']:,} tokens an epoch, {result['validation_tokens']:,} for validation, of "
        f"which {result['unknown']:.1%} are unknown",
        f"{result['seconds']:.0f} s, {result['tokens_per_second']:,.0f} tokens/s, peak memory "
        f"{result['peak_bytes'] / common.GIB:.1f} GiB",
        *common.table(["", "perplexity"], rows),
    ]
    common.show(result, lines, args.json)


if __name__ == "__main__":
    main()

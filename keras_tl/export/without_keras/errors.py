"""The error that ends a verification, and a function that shortens other error messages."""


class UnusableError(Exception):
    """The export has a defect that makes all further checks impossible."""


def first_line(error: Exception) -> str:
    """Return the first line of an error message, without TensorFlow's traces."""
    said = getattr(error, "message", None) or str(error) or type(error).__name__
    return said.strip().splitlines()[0].rstrip(".")

"""The three ways to say no. Each message says what was asked, what is allowed, what to do."""


class FieldTheoryError(Exception):
    """Every error this library raises on purpose."""


class InvalidInput(FieldTheoryError, ValueError):
    """The question itself is malformed: a wrong shape, sign, name or file."""


class OutOfRegime(FieldTheoryError, ValueError):
    """The question is well posed, but the law that was asked does not hold there."""


class MissingExtra(FieldTheoryError, ImportError):
    """An optional library is needed; the message names the extra that installs it."""

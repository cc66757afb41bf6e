"""Our docstrings, which are plain text with a table here and there, as reStructuredText.

A table row is a word, at least two spaces, and what it means, continued on deeper lines:

    order    0 or 1; the power of 1/eta
             at which the series ends

It becomes an entry of a definition list. Prompts and `.. math::` stay what they are.
"""

import re
from textwrap import dedent

ROW = re.compile(r"(\S+(?: \S+)*?) {2,}(\S.*)")
SPANS = re.compile(r"(:math:`.*?`|``.*?``|`[^`]+`)", flags=re.S)
Lines = list[str]


def as_rest(app, what, name, obj, options, lines: Lines) -> None:
    """For Sphinx: rewrite the lines of a docstring in place."""
    lines[:] = converted(lines)


def converted(lines: Lines) -> Lines:
    """The lines as reStructuredText."""
    found: Lines = []
    left = list(lines)
    while left:
        line = left[0]
        row = None if line.startswith((">>>", "..", " ")) else ROW.fullmatch(line)
        if line.startswith((">>>", "..")):
            verbatim, left = _block(left, line.startswith(".."))
            found += ["", *verbatim, ""]
        elif len(left) > 1 and re.fullmatch(r"-{3,}", left[1]):
            found += ["", f"**{line}**", ""]
            left = left[2:]
        elif row:
            body, left = _indented(left[1:])
            text = [row[2], *dedent("\n".join(body)).split("\n")]
            meaning = converted(text)
            found += ["", f"``{row[1]}``", *(f"    {each}" for each in meaning), ""]
        elif line.startswith(" ") and line.strip():
            body, left = _indented(left)
            inside = converted(dedent("\n".join(body)).split("\n"))
            found += ["", *(f"    {each}" for each in inside), ""]
        else:
            prose: Lines = []
            while left and _is_prose(left, bool(prose)):
                prose.append(left.pop(0))
            found += escaped("\n".join(prose)).split("\n")
            if left and not left[0].strip():
                found.append(left.pop(0))
    return found


def _is_prose(left: Lines, begun: bool) -> bool:
    """Whether the first line goes on (or begins) a paragraph."""
    line = left[0]
    if not line.strip() or line.startswith((">>>", "..", " ")):
        return False
    heading = len(left) > 1 and re.fullmatch(r"-{3,}", left[1])
    return not heading and not ROW.fullmatch(line)


def _block(left: Lines, directive: bool) -> tuple[Lines, Lines]:
    """A prompt with its output, up to a blank line; or a directive with all that is indented."""
    if directive:
        body, rest = _indented(left[1:])
        return [left[0], *body], rest
    end = next((n for n, line in enumerate(left) if not line.strip()), len(left))
    return left[:end], left[end:]


def _indented(left: Lines) -> tuple[Lines, Lines]:
    """The lines up to the next that is neither blank nor indented, and the others."""
    end = next((n for n, line in enumerate(left) if line[:1].strip()), len(left))
    return left[:end], left[end:]


def escaped(text: str) -> str:
    """Prose: `name` is code, and signs that mean something to Sphinx do not."""
    parts = SPANS.split(text)
    for n, part in enumerate(parts):
        if n % 2 == 0:
            parts[n] = re.sub(r"([*|_])", r"\\\1", part)
        elif not part.startswith((":math:", "``")):
            parts[n] = f"`{part}`"
    return "".join(parts)

"""Runs every `>>>` of README.md, docs/ and the package's docstrings.

In a page a ```toml fence that begins with the comment `# NAME.toml` is written to that file, and
the lines `$ fieldtheory ...` of a ```console fence are run beside it; what follows must be printed.

A page is one test and a docstring is one test: the examples of each build on one another, so they
must run in order, in one process and in a namespace that nothing else has touched.
"""

from collections.abc import Iterator, Sequence
from contextlib import chdir, redirect_stdout
from doctest import ELLIPSIS, NORMALIZE_WHITESPACE, OutputChecker
from io import StringIO
from pathlib import Path
from shlex import split
from tempfile import TemporaryDirectory

import pytest
from sybil import Document, Example
from sybil.document import PythonDocStringDocument
from sybil.example import SybilFailure
from sybil.parsers.myst import CodeBlockParser, PythonCodeBlockParser
from sybil.parsers.rest import DocTestParser
from sybil.python import import_path

ROOT = Path(__file__).parent
FLAGS = ELLIPSIS | NORMALIZE_WHITESPACE
BUILT = {"_build", "_generated"}
COMMAND = "$ fieldtheory"


def write_spec(example: Example) -> str | None:
    """Write a ```toml fence to the file named in its first line."""
    first, _, _ = example.parsed.partition("\n")
    name = first.removeprefix("# ").strip()
    if name != Path(name).name or not name.endswith(".toml"):
        return f"begin the fence with the comment `# NAME.toml`, not with {first!r}"
    Path(name).write_text(example.parsed, encoding="utf-8")
    return None


def run_commands(example: Example) -> str | None:
    """Run the commands of a ```console fence; the first that fails or prints something else."""
    from fieldtheory.cli import main

    for part in example.parsed.strip().split(COMMAND)[1:]:
        line, _, wanted = part.partition("\n")
        with redirect_stdout(StringIO()) as out:
            status = main(split(line))
        got = out.getvalue()
        if status != 0:
            return f"{COMMAND}{line} ended with status {status}\n{got}"
        if wanted.strip() and not OutputChecker().check_output(wanted, got, FLAGS):
            return f"{COMMAND}{line}\nExpected:\n{wanted}\nGot:\n{got}"
    return None


class Run(pytest.Item):
    """The examples of one page or one docstring, in order; the first that fails ends it."""

    def __init__(self, *, examples: Sequence[Example], module: Path | None, **kwargs) -> None:
        super().__init__(**kwargs)
        self.examples, self.module = examples, module

    def runtest(self) -> None:
        space = self.examples[0].document.namespace
        space.clear()
        space.update(vars(import_path(self.module)) if self.module else {})
        with TemporaryDirectory() as folder, chdir(folder):
            for example in self.examples:
                example.evaluate()

    def repr_failure(self, excinfo, style=None):
        if isinstance(excinfo.value, SybilFailure):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self):
        return self.path, self.examples[0].line - 1, f"{self.path.name}:{self.examples[0].line}"


class Page(pytest.File):
    """A page of Markdown: ```python fences; one without a prompt must run without raising."""

    def collect(self) -> Iterator[Run]:
        page = Document.parse(
            str(self.path),
            PythonCodeBlockParser(doctest_optionflags=FLAGS),
            CodeBlockParser("toml", write_spec),
            CodeBlockParser("console", run_commands),
        )
        if examples := list(page.examples()):
            yield Run.from_parent(self, name="page", examples=examples, module=None)


class Docstrings(pytest.File):
    """A module: each docstring sees the module's names, as they are after import."""

    def collect(self) -> Iterator[Run]:
        module = PythonDocStringDocument.parse(str(self.path), DocTestParser(FLAGS))
        module.pop_evaluator(module.import_document)  # `Run` fills the namespace itself
        examples = list(module.examples())
        for start, end, _ in module.extract_docstrings(module.text):
            if inside := [one for one in examples if start <= one.start < end]:
                name = f"line {inside[0].line}"
                yield Run.from_parent(self, name=name, examples=inside, module=self.path)


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.File | None:
    if not file_path.is_relative_to(ROOT):
        return None
    inside = file_path.relative_to(ROOT)
    if inside.suffix == ".py" and inside.parts[0] == "fieldtheory":
        return Docstrings.from_parent(parent, path=file_path)
    pages = inside.parts[0] == "docs" and not BUILT & set(inside.parts)
    if inside.suffix == ".md" and (pages or inside == Path("README.md")):
        return Page.from_parent(parent, path=file_path)
    return None

"""Runs every `>>>` of README.md, docs/ and the package's docstrings.

A page is one test and a docstring is one test: the examples of each build on one another, so they
must run in order, in one process and in a namespace that nothing else has touched.
"""

from collections.abc import Iterator, Sequence
from doctest import ELLIPSIS, NORMALIZE_WHITESPACE
from pathlib import Path

import pytest
from sybil import Document, Example
from sybil.document import PythonDocStringDocument
from sybil.example import SybilFailure
from sybil.parsers.myst import PythonCodeBlockParser
from sybil.parsers.rest import DocTestParser
from sybil.python import import_path

ROOT = Path(__file__).parent
FLAGS = ELLIPSIS | NORMALIZE_WHITESPACE
BUILT = {"_build", "_generated"}


class Run(pytest.Item):
    """The examples of one page or one docstring, in order; the first that fails ends it."""

    def __init__(self, *, examples: Sequence[Example], module: Path | None, **kwargs) -> None:
        super().__init__(**kwargs)
        self.examples, self.module = examples, module

    def runtest(self) -> None:
        space = self.examples[0].document.namespace
        space.clear()
        space.update(vars(import_path(self.module)) if self.module else {})
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
        page = Document.parse(str(self.path), PythonCodeBlockParser(doctest_optionflags=FLAGS))
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

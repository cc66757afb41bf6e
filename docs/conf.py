"""Sphinx: the pages, and what is made afresh at every build from the library itself."""

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

import fieldtheory as ft  # noqa: E402

sys.path.insert(0, str(HERE))
import docstrings  # noqa: E402
import pictures  # noqa: E402

project = "fieldtheory"
author = "the fieldtheory authors"
version = release = ft.__version__
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.mathjax"]
myst_enable_extensions = ["dollarmath", "amsmath"]
myst_heading_anchors = 3
exclude_patterns = ["_build", "_generated"]
html_theme = "furo"
html_title = f"fieldtheory {release}"
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_preserve_defaults = True

GENERATED = HERE / "_generated"
FLOORS = {
    "ground": "Words: errors, laws, pictures",
    "theory": "Algebra: actions, diagrams, series",
    "compiler": "Formulas to NumPy",
    "model": "Prediction",
    "practice": "Experiment",
    "plot": "Pictures",
}


def write_math() -> None:
    """The engine's own LaTeX, one file a formula."""
    learning = ft.learning
    series = {
        "residual": ("\\langle h\\rangle_0", learning.mean(0)),
        "mean": ("\\langle h\\rangle_1", learning.mean(1)),
        "covariance": ("\\langle h h\\rangle_1", learning.covariance(1)),
        "label_noise": ("\\langle h h\\rangle_1^{\\text{noise}}", learning.label_noise(1)),
        "error": ("\\text{error}_1", learning.error(1)),
        "posterior_variance": ("\\text{var}_1", learning.posterior_variance(1)),
        "evidence": ("\\langle \\log Z\\rangle_1", learning.evidence(1)),
    }
    for name, (symbol, found) in series.items():
        write(f"{name}.md", f"$$ {symbol} = {found.latex()} $$\n")
        sphere = learning.sp.latex(found.on_sphere())
        for spelled, letter in (("{lam}", "\\lambda"), ("{deg}", "\\deg"), ("{G}", "G")):
            sphere = sphere.replace(spelled, letter)
        write(f"{name}_sphere.md", f"$$ {symbol} = {sphere} $$\n")


def write_api() -> None:
    """A directive for every public name, by floor."""
    lines = []
    for floor, title in FLOORS.items():
        lines += [f"## {title}", "", "```{eval-rst}"]
        for name, home in ft.HOME.items():
            if home.split(".")[1] == floor:
                kind = "autofunction" if name[0].islower() else "autoclass"
                raised = isinstance(found := getattr(ft, name), type) and issubclass(
                    found, Exception
                )
                lines += [f".. {'autoexception' if raised else kind}:: fieldtheory.{name}"]
                lines += ["   :members:", ""] if kind == "autoclass" and not raised else [""]
        lines += ["```", ""]
    lines += ["## Modules behind the front door", "", "```{eval-rst}"]
    for name, home in ft.MODULES.items():
        members = "" if name == "laws" else "   :members:\n"
        lines += [f".. automodule:: {home}\n{members}   :no-index:", ""]
    write("api.md", "\n".join([*lines, "```", ""]))


def write(name: str, text: str) -> None:
    """Only what has changed, so that a rebuild is quick."""
    path = GENERATED / name
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")


def setup(app) -> None:
    GENERATED.mkdir(exist_ok=True)
    write_math()
    write_api()
    pictures.draw_all(GENERATED)
    app.connect("autodoc-process-docstring", docstrings.as_rest)

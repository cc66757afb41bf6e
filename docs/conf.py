"""Sphinx: the pages, and what is made afresh at every build from the library itself."""

import re
import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

import fieldtheory as ft  # noqa: E402

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
        "residual": ("h_0", learning.mean(0)),
        "mean": ("h_1", learning.mean(1)),
        "covariance": ("c_1", learning.covariance(1)),
        "label_noise": ("n_1", learning.label_noise(1)),
        "error": ("F_1", learning.error(1)),
    }
    for name, (symbol, found) in series.items():
        write(f"{name}.md", f"$$ {symbol} = {found.latex()} $$\n")
        sphere = ft.learning.sp.latex(found.on_sphere())
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


def write_pictures() -> None:
    """A predicted and measured curve, and a spectrum."""
    network = ft.Network(depth=4, activation="relu", weight_variance=1, bias_variance=1)
    task = ft.Task.sphere(dimension=50, target=[0, 0.5, 0.5])
    curve = ft.predict(network, task, [100, 140, 200, 280, 400, 560, 800])
    measured = ft.measure(network, task, [100, 200, 400], draws=10, rng=0, progress=False)
    ft.draw(curve, measured, path=GENERATED / "curve.svg")
    ft.draw(ft.spectrum(network.on_sphere(50), 50), path=GENERATED / "spectrum.svg")


def write(name: str, text: str) -> None:
    """Only what has changed, so that a rebuild is quick."""
    path = GENERATED / name
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")


def as_rest(app, what, name, obj, options, lines) -> None:
    """Our docstrings are plain text with mathematics; tables in them become literal blocks."""
    found = []
    for block in re.split(r"\n\s*\n", "\n".join(lines).strip("\n")):
        rows = block.split("\n")
        kept = rows[0].startswith((">>>", ".. math::")) or (found and rows[0].startswith("   "))
        if kept:
            found += [*rows, ""]
        elif any(re.search(r"\S  +\S|^-+$|^ ", row) for row in rows):
            found += ["::", "", *(f"    {row}" for row in rows), ""]
        else:
            plain = re.sub(r"(?<![:`])`([^`]+)`(?!`)", r"``\1``", block)
            pieces = re.split(r"(``.*?``|:math:`.*?`)", plain, flags=re.S)
            for i in range(0, len(pieces), 2):
                pieces[i] = re.sub(r"([*|_])", r"\\\1", pieces[i])
            found += ["".join(pieces), ""]
    lines[:] = "\n".join(found).split("\n")


def setup(app) -> None:
    GENERATED.mkdir(exist_ok=True)
    write_math()
    write_api()
    write_pictures()
    app.connect("autodoc-process-docstring", as_rest)

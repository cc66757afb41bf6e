"""The verbs of the command line as data: what each is for, what it takes, and what it runs.

Reading this costs nothing; what a verb needs is imported when it runs, so that help is instant and
numeric verbs never load the algebra. Reading arguments and printing are left to `cli`.
"""

import re
from collections.abc import Callable, Mapping
from itertools import chain, islice
from typing import Any, NamedTuple

from fieldtheory.ground.errors import InvalidInput

COUNTS_AT_MOST = 40  # legs, loops or orders of a diagram
DRAWN_AT_MOST = 200
MODEL = ("network", "spectrum", "kernel", "task")

Given = Any  # the arguments of a verb, as attributes
Say = Callable[[str], None]


class Answer(NamedTuple):
    """What a verb found: as plain data, as text, as drawable results; and whether it is good."""

    data: Callable[[], dict[str, Any]]
    text: Callable[[], str]
    results: tuple[Any, ...] = ()
    good: bool = True


class Option(NamedTuple):
    """An argument of one verb: its words, what it means, how its text is read.

    `settings` are those of `argparse`; of the options of one `group` exactly one is given.
    """

    words: tuple[str, ...]
    about: str
    read: Callable[[str], Any] | None = None
    settings: Mapping[str, Any] = {}
    group: str | None = None


class Verb(NamedTuple):
    """A verb: one line about it, an example, what it does, the sections of the spec it reads."""

    about: str
    example: str
    run: Callable[[Given, Say], Answer]
    sections: tuple[str, ...] = ()
    options: tuple[Option, ...] = ()
    plots: bool = False
    stores: bool = False


def whole(least: int, most: int) -> Callable[[str], int]:
    """A reader of whole numbers between bounds."""

    def read(text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,9}", text, re.ASCII) or not least <= int(text) <= most:
            raise InvalidInput(f"{shown(text)}: give a whole number from {least} to {most}")
        return int(text)

    return read


def real(least: float, most: float, form: str) -> Callable[[str], float]:
    """A reader of numbers between bounds; `form` says in words what is wanted."""

    def read(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = float("nan")
        if not least <= value <= most:
            raise InvalidInput(f"{shown(text)}: give {form}")
        return value

    return read


def shown(text: str) -> str:
    """What was typed, cut to sixty letters."""
    return repr(text) if len(text) <= 60 else f"{text[:40]!r}... ({len(text)} characters)"


# -- numeric verbs: a spec in, a result out ----------------------------------------------------


def _numeric(
    name: str,
    *words: str,
    good: Callable[[Any], bool] = lambda result: True,
    inputs: bool = True,
) -> Callable[[Given, Say], Answer]:
    """The verb that is function `name` of `practice.ask`, given the spec and the flags `words`."""

    def run(given: Given, say: Say) -> Answer:
        from fieldtheory.practice import ask
        from fieldtheory.practice.spec import load

        keys = {key: text for key, text in vars(given).items() if "." in key and text is not None}
        extra = [getattr(given, word) for word in words]
        spec = load(given.spec, keys, inputs=inputs)
        if name in ("prediction", "comparison") and (patience := ask.patience(spec)):
            say(patience)
        result = getattr(ask, name)(spec, *extra)
        return Answer(result.to_dict, result.__str__, (result,), good(result))

    return run


class _Drawn(NamedTuple):
    """Something to draw in place of a result."""

    picture: Callable[[], Any]


def _predict(given: Given, say: Say) -> Answer:
    answer = _numeric("prediction", "store")(given, say)
    (curve,) = answer.results
    return answer._replace(results=(_Drawn(curve.learning),)) if given.learning else answer


LEARNING = "draw what is left to learn of each part of the target, not the error"
PREDICT = (Option(("--learning",), LEARNING, None, {"action": "store_true"}),)


def _tune(given: Given, say: Say) -> Answer:
    described = [text for key, text in vars(given).items() if key.startswith("network.")]
    if given.spec is None and not any(described):
        setattr(given, "network.depth", "2")  # the one `tune` beats unless told otherwise
    return _numeric("tuning")(given, say)


SPECTRUM = (
    Option(("--degrees",), "last degree that is listed", whole(0, 10**6)),
    Option(("--digits",), "relative accuracy, beyond float64", whole(1, 1000)),
    Option(("--samples",), "say, and shade, what so many samples teach", whole(1, 10**9 - 1)),
)
KERNEL = (Option(("--points",), "how many cosines (default 21)", whole(2, 10**6), {"default": 21}),)
COSINE = real(-1.0, 1.0, "a number from -1 to 1")
PHASE = (
    Option(("--cosine",), "between the two inputs whose flow is listed", COSINE, {"default": 0.0}),
    Option(("--flow",), "draw the depth flow, not the diagram", None, {"action": "store_true"}),
)


ERROR = real(5e-324, 1.7e308, "a number above zero")
MOST = whole(1, 10**8)
NEEDED = (
    Option(("--error",), "mean squared error to reach", ERROR, {"required": True}),
    Option(("--most",), "samples to look at (default 10000000)", MOST, {"default": 10**7}),
)
RIVALS = (
    Option(
        ("--against",),
        "another spec, for its network, kernel or spectrum",
        None,
        {"metavar": "OTHER.toml", "required": True},
    ),
    Option(("--most",), "samples to look at (default 100000)", MOST, {"default": 10**5}),
)


# -- symbolic verbs ----------------------------------------------------------------------------


def _diagrams(given: Given, say: Say) -> Answer:
    from fieldtheory.practice.output import check_svg, reported, write_whole
    from fieldtheory.theory.listing import Listing, drawn, listed

    if given.draw is not None:
        check_svg(given.draw)
    here = ("json", "count_only", "draw")
    asked = {name: value for name, value in vars(given).items() if name not in here}
    found = reported(listed(**asked, most=COUNTS_AT_MOST), say)
    first = tuple(islice(found, DRAWN_AT_MOST if given.draw else 0))
    listing = Listing.of(chain(first, found), keep=not given.count_only)
    if given.draw is not None and not first:
        say(f"nothing to draw: {given.draw} is not written")
    elif given.draw is not None:
        write_whole(given.draw, drawn(first))
        left_out = f", of the first {len(first)} diagrams" if listing.count > len(first) else ""
        say(f"picture in {given.draw}{left_out}")
    return Answer(listing.to_dict, listing.__str__)


KINDS = (  # flag, argument of `diagrams`, its value, what it keeps
    ("--1pi", "one_particle_irreducible", True, "no single line holds it together"),
    ("--2pi", "two_particle_irreducible", True, "no two lines hold it together (skeletons)"),
    ("--connected", "connected", True, "in one piece"),
    ("--amputated", "amputated", True, "no self-energies on external legs"),
    ("--no-tadpoles", "tadpoles", False, "no part without legs hangs on a single line"),
    ("--no-self-loops", "self_loops", False, "no line from a vertex to itself (normal order)"),
    ("--unlabelled", "unlabelled", True, "legs may be exchanged"),
)
ACTION = "phi3, phi4, phi3+phi4, on4, or as in 'phi^2/2 + g*phi^4/4!'"
DIAGRAMS = (
    Option(("action",), ACTION, None, {"metavar": "ACTION"}),
    Option(("--fields",), "names in ACTION that are fields, as in phi,chi"),
    Option(("--legs",), "a number, or names as in phi,phi (default 2)", None, {"default": "2"}),
    Option(
        ("--loops",),
        "independent loops; connected diagrams",
        whole(0, COUNTS_AT_MOST),
        group="size",
    ),
    Option(("--order",), "number of vertices, or couplings as in g=2,h=1", group="size"),
    *(
        Option((flag,), text, None, {"dest": name, "action": "store_const", "const": value})
        for flag, name, value, text in KINDS
    ),
    Option(("--count-only",), "the numbers without the list", None, {"action": "store_true"}),
    Option(
        ("--draw",),
        f"draw them, the first {DRAWN_AT_MOST} at most",
        None,
        {"metavar": "FILE.svg"},
    ),
)


def _series(given: Given, say: Say) -> Answer:
    from fieldtheory.theory.listing import named_series

    series = named_series(given.quantity, given.order)
    words = {word: getattr(series, word) for word in ("quantity", "order", "ensemble")}
    found = {"latex": series.latex(), "diagrams": len(series.diagrams)}
    text = {"expression": str(series.expression)}
    return Answer(lambda: {**words, **found, **text}, lambda: f"{series}\nLaTeX: {series.latex()}")


SERIES = (
    Option(("quantity",), "mean, error, evidence, ...", None, {"metavar": "QUANTITY"}),
    Option(("--order",), "power of 1/eta (default 1)", whole(0, COUNTS_AT_MOST), {"default": 1}),
)


def _demo(given: Given, say: Say) -> Answer:
    from fieldtheory.practice.demo import demonstrate

    say(f"a deep network's learning curve: theory, then {given.draws} experiments at each size")
    result = demonstrate(given.draws)
    return Answer(result.to_dict, result.__str__, (result,), result.agrees)


DEMO = (Option(("--draws",), "data sets (default 40)", whole(2, 1000), {"default": 40}),)


VERBS = {
    "predict": Verb(
        "the learning curve of a network on a task, from theory",
        "fieldtheory predict --depth 4 --dimension 50 --target 'x0 + x0*x1' --samples 100:1600:log",
        _predict,
        (*MODEL, "predict"),
        PREDICT,
        plots=True,
        stores=True,
    ),
    "measure": Verb(
        "the same curve from experiment: regression or training on drawn data",
        "fieldtheory measure spec.toml --draws 20 --seed 0 --store draws.json",
        _numeric("measurement", "store"),
        (*MODEL, "predict", "measure", "train"),
        plots=True,
        stores=True,
    ),
    "compare": Verb(
        "prediction beside measurement, in standard errors",
        "fieldtheory compare spec.toml --samples 100,400 --plot compare.png",
        _numeric("comparison", "store", good=lambda result: bool(result.agrees.all())),
        (*MODEL, "predict", "measure", "train"),
        plots=True,
        stores=True,
    ),
    "diagrams": Verb(
        "every Feynman diagram once, with its symmetry factor",
        "fieldtheory diagrams phi4 --legs 2 --loops 3 --1pi",
        _diagrams,
        options=DIAGRAMS,
    ),
    "kernel": Verb(
        "the kernel as a curve over the cosine between two inputs",
        "fieldtheory kernel --depth 3 --activation gelu --dimension 50 --points 11",
        _numeric("kernel_curve", "points"),
        MODEL,
        KERNEL,
        plots=True,
    ),
    "spectrum": Verb(
        "eigenvalues of the kernel on the sphere, per harmonic degree, or on data",
        "fieldtheory spectrum --depth 4 --dimension 50 --degrees 10 --digits 25",
        _numeric("spectrum_of", "degrees", "digits", "samples"),
        MODEL,
        SPECTRUM,
        plots=True,
    ),
    "phase": Verb(
        "ordered, chaotic or critical: fixed point, depth flow and phase diagram",
        "fieldtheory phase --activation tanh --weight-variance 1.5 --bias-variance 0.05",
        _numeric("phases_of", "cosine", "flow", inputs=False),
        ("network",),
        PHASE,
        plots=True,
    ),
    "samples-for": Verb(
        "how many samples an error takes, from the predicted curve",
        "fieldtheory samples-for --depth 4 --dimension 50 --target 'x0*x1' --error 1e-4",
        _numeric("samples_needed", "error", "most"),
        (*MODEL, "predict"),
        NEEDED,
        plots=True,
    ),
    "best-ridge": Verb(
        "the ridge with the smallest predicted error, at each number of samples",
        "fieldtheory best-ridge --dimension 10 --depth 3 --target x0 --label-noise 0.1",
        _numeric("ridge_wanted"),
        (*MODEL, "predict"),
        plots=True,
    ),
    "crossover": Verb(
        "the numbers of samples at which two networks change places",
        "fieldtheory crossover spec.toml --against other.toml",
        _numeric("crossing_points", "against", "most"),
        (*MODEL, "predict"),
        RIVALS,
        plots=True,
    ),
    "train": Verb(
        "finite networks by gradient descent, beside their kernel and the prediction",
        "fieldtheory train --depth 2 --dimension 5 --target 'x0*x1' --samples 50",
        _numeric("training", good=lambda result: bool(result.converged)),
        ("network", "task", "predict", "measure", "train"),
        plots=True,
    ),
    "tune": Verb(
        "the network with the smallest predicted error, before anything is trained",
        "fieldtheory tune --dimension 50 --target 'x0*x1' --samples 400",
        _tune,
        ("network", "task", "tune"),
        plots=True,
    ),
    "series": Verb(
        "the learning curve as a series in 1/eta, derived, in LaTeX",
        "fieldtheory series mean --order 1",
        _series,
        options=SERIES,
    ),
    "demo": Verb(
        "a deep network's learning curve, predicted and measured (in seconds)",
        "fieldtheory demo",
        _demo,
        options=DEMO,
        plots=True,
    ),
}

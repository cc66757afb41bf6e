"""The command line: one verb for each thing the library does. The only file that prints.

Finding the verb costs nothing; what a verb needs is imported when it runs, so that help is instant
and numeric verbs never load the algebra. Exit 0 done, 1 a comparison failed, 2 misuse.
"""

import argparse
import io
import os
import re
import sys
from collections.abc import Callable, Sequence
from difflib import get_close_matches
from importlib.util import find_spec
from itertools import chain, islice
from typing import Any, NamedTuple, NoReturn

from fieldtheory.ground.errors import FieldTheoryError, InvalidInput, MissingExtra
from fieldtheory.ground.version import __version__

DONE, FAILED, MISUSE, INTERRUPTED, PIPE_CLOSED = 0, 1, 2, 130, 141
COUNTS_AT_MOST = 40  # legs, loops or orders of a diagram
DRAWN_AT_MOST = 200
PICTURE = "fieldtheory-demo.png"
MODEL = ("network", "spectrum", "kernel", "task")

Options = argparse.Namespace


class Answer(NamedTuple):
    """What a verb found: as plain data, as text, as drawable results; and whether it is good."""

    data: Callable[[], dict[str, Any]]
    text: Callable[[], str]
    results: tuple[Any, ...] = ()
    good: bool = True


class Verb(NamedTuple):
    """A verb: one line about it, an example, the sections of the spec it reads, what it does."""

    about: str
    example: str
    run: Callable[[Options], Answer]
    sections: tuple[str, ...] = ()
    flags: Callable[[argparse.ArgumentParser], None] = lambda parser: None
    plots: bool = False
    stores: bool = False


# -- numeric verbs: a spec in, a result out ----------------------------------------------------


def _numeric(
    name: str, *words: str, good: Callable[[Any], bool] = lambda result: True
) -> Callable[[Options], Answer]:
    """The verb that is function `name` of `practice.ask`, given the spec and the flags `words`."""

    def run(options: Options) -> Answer:
        from fieldtheory.practice import ask
        from fieldtheory.practice.spec import load

        given = {
            key: text for key, text in vars(options).items() if "." in key and text is not None
        }
        extra = [getattr(options, word) for word in words]
        result = getattr(ask, name)(load(options.spec, given), *extra)
        return Answer(result.to_dict, result.__str__, (result,), good(result))

    return run


def _tune(options: Options) -> Answer:
    described = [text for key, text in vars(options).items() if key.startswith("network.")]
    if options.spec is None and not any(described):
        setattr(options, "network.depth", "2")  # the one `tune` beats unless told otherwise
    return _numeric("tuning")(options)


def _spectrum_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--degrees", type=_whole(0, 10**6), help="last degree that is listed")
    parser.add_argument("--digits", type=_whole(1, 1000), help="relative accuracy, beyond float64")


# -- symbolic verbs ----------------------------------------------------------------------------


def _diagrams(options: Options) -> Answer:
    from fieldtheory.practice.output import check_svg, reported, write_whole
    from fieldtheory.theory.listing import Listing, drawn, listed

    if options.draw is not None:
        check_svg(options.draw)
    here = ("json", "count_only", "draw")
    asked = {name: value for name, value in vars(options).items() if name not in here}
    found = reported(listed(**asked, most=COUNTS_AT_MOST), _say)
    first = tuple(islice(found, DRAWN_AT_MOST if options.draw else 0))
    listing = Listing.of(chain(first, found), keep=not options.count_only)
    if options.draw is not None and not first:
        _say(f"nothing to draw: {options.draw} is not written")
    elif options.draw is not None:
        write_whole(options.draw, drawn(first))
        left_out = f", of the first {len(first)} diagrams" if listing.count > len(first) else ""
        _say(f"picture in {options.draw}{left_out}")
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


def _diagram_flags(parser: argparse.ArgumentParser) -> None:
    text = "phi3, phi4, phi3+phi4, on4, or as in 'phi^2/2 + g*phi^4/4!'"
    parser.add_argument("action", metavar="ACTION", help=text)
    parser.add_argument("--fields", help="names in ACTION that are fields, as in phi,chi")
    parser.add_argument("--legs", default="2", help="a number, or names as in phi,phi (default 2)")
    size = parser.add_mutually_exclusive_group(required=True)
    whole = _whole(0, COUNTS_AT_MOST)
    size.add_argument("--loops", type=whole, help="independent loops; connected diagrams")
    size.add_argument("--order", help="number of vertices, or couplings as in g=2,h=1")
    for flag, name, value, text in KINDS:
        parser.add_argument(
            flag, dest=name, action="store_const", const=value, help=text, default=argparse.SUPPRESS
        )
    parser.add_argument("--count-only", action="store_true", help="the numbers without the list")
    text = f"draw them, the first {DRAWN_AT_MOST} at most"
    parser.add_argument("--draw", metavar="FILE.svg", help=text)


def _series(options: Options) -> Answer:
    from fieldtheory.theory.listing import named_series

    series = named_series(options.quantity, options.order)
    words = {word: getattr(series, word) for word in ("quantity", "order", "ensemble")}
    found = {"latex": series.latex(), "diagrams": len(series.diagrams)}
    text = {"expression": str(series.expression)}
    return Answer(lambda: {**words, **found, **text}, lambda: f"{series}\nLaTeX: {series.latex()}")


def _series_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("quantity", metavar="QUANTITY", help="mean, error, evidence, ...")
    whole = _whole(0, COUNTS_AT_MOST)
    parser.add_argument("--order", type=whole, default=1, help="power of 1/eta (default 1)")


def _demo(options: Options) -> Answer:
    from fieldtheory.practice.demo import demonstrate

    _say(f"a deep network's learning curve: theory, then {options.draws} experiments at each size")
    result = demonstrate(options.draws)
    return Answer(result.to_dict, result.__str__, (result,), result.agrees)


def _demo_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--draws", type=_whole(2, 1000), default=40, help="data sets (default 40)")


VERBS = {
    "predict": Verb(
        "the learning curve of a network on a task, from theory",
        "fieldtheory predict --depth 4 --dimension 50 --target 'x0 + x0*x1' --samples 100:1600:log",
        _numeric("prediction"),
        (*MODEL, "predict"),
        plots=True,
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
        flags=_diagram_flags,
    ),
    "spectrum": Verb(
        "eigenvalues of the kernel on the sphere, per harmonic degree",
        "fieldtheory spectrum --depth 4 --dimension 50 --degrees 10 --digits 25",
        _numeric("spectrum_of", "degrees", "digits"),
        MODEL,
        flags=_spectrum_flags,
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
        flags=_series_flags,
    ),
    "demo": Verb(
        "a deep network's learning curve, predicted and measured (in seconds)",
        "fieldtheory demo",
        _demo,
        flags=_demo_flags,
        plots=True,
    ),
}


# -- reading the arguments ---------------------------------------------------------------------


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise InvalidInput(f"{message} (see {self.prog} --help)")


def _whole(least: int, most: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,9}", text, re.ASCII) or not least <= int(text) <= most:
            raise argparse.ArgumentTypeError(
                f"{_shown(text)}: give a whole number from {least} to {most}"
            )
        return int(text)

    return read


def _shown(text: str) -> str:
    return repr(text) if len(text) <= 60 else f"{text[:40]!r}... ({len(text)} characters)"


def _parser(name: str) -> _Parser:
    verb = VERBS[name]
    parser = _Parser(
        prog=f"fieldtheory {name}",
        usage="%(prog)s [SPEC.toml] [flags]" if verb.sections else None,
        description=f"{verb.about[0].upper()}{verb.about[1:]}.",
        epilog=f"example:\n  {verb.example}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--json", action="store_true", help="one JSON object, and nothing else")
    if verb.plots:
        parser.add_argument("--plot", metavar="FILE", help="draw it: .png, .svg or .pdf")
    if verb.stores:
        parser.add_argument("--store", metavar="FILE", help="keep finished draws here, resume")
    verb.flags(parser)
    if verb.sections:
        _spec_flags(parser, verb.sections)
    return parser


def _spec_flags(parser: argparse.ArgumentParser, sections: Sequence[str]) -> None:
    """The keys of the sections as flags; a name the verb leaves free may be shortened."""
    from fieldtheory.practice.spec import SECTIONS, Spec

    parser.add_argument("spec", nargs="?", metavar="SPEC.toml", help="flags override it")
    flags = [flag for flag in Spec.flags() if flag.path.partition(".")[0] in sections]
    taken = {flag.flag for flag in flags}
    titles = {name: (SECTIONS[name].__doc__ or name).rstrip(".") for name in sections}
    groups = {name: parser.add_argument_group(title) for name, title in titles.items()}
    for flag in flags:
        section, _, name = flag.path.partition(".")
        short = "--" + name.replace("_", "-")
        names = [flag.flag] if short in taken else [short, flag.flag]
        groups[section].add_argument(
            *names, dest=flag.path, metavar=flag.type.upper().replace(" ", "-"), help=flag.help
        )


HELP = """fieldtheory VERB [SPEC.toml] [flags]

The field-theory calculator for deep learning: from a network and a task to a learning curve.

{verbs}

A spec is a TOML file; each of its keys is a flag too: fieldtheory VERB --help lists them. --json
prints one JSON object, --version the version. Exit: 0 done, 1 a comparison failed, 2 misuse."""


def _joined(words: list[str]) -> list[str]:
    """`--target -x0` as `--target=-x0`, lest -x0 be taken for a flag."""
    joined: list[str] = []
    for word in words:
        if joined and re.fullmatch(r"--[a-z-]+", joined[-1]) and re.match(r"-[^-h]", word):
            joined[-1] += f"={word}"
        else:
            joined.append(word)
    return joined


def _help() -> str:
    rows = [f"  {name:<9s} {verb.about}\n{'':12s}{verb.example}" for name, verb in VERBS.items()]
    return HELP.format(verbs="\n".join(rows))


# -- running -----------------------------------------------------------------------------------


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status: 0 done, 1 a comparison failed, 2 misuse."""
    words = list(sys.argv[1:] if argv is None else argv)
    name = f"fieldtheory {words[0]}" if words and words[0] in VERBS else "fieldtheory"
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a terminal without Greek is no error
    try:
        return _run(words)
    except FieldTheoryError as error:
        _say(f"{name}: {error}")
        return MISUSE
    except MemoryError as error:
        _say(f"{name}: out of memory ({error}): ask for fewer samples or a lower order")
        return MISUSE
    except KeyboardInterrupt as stop:
        _say(f"{name}: interrupted{stop}")
        return INTERRUPTED
    except BrokenPipeError:  # the reader has seen enough; keep Python from complaining at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return PIPE_CLOSED
    except SystemExit as end:  # argparse has printed its help
        return int(end.code or DONE)


def _run(words: list[str]) -> int:
    first = words[0] if words else ""
    if first in ("-h", "--help", "--version"):
        print(f"fieldtheory {__version__}" if first == "--version" else _help(), flush=True)
        return DONE
    if first not in VERBS:
        near = get_close_matches(first, VERBS, n=1)
        asked = f"unknown verb {_shown(first)}" if words else "no verb given"
        hint = f"did you mean {near[0]}?" if near else f"choose one of {', '.join(VERBS)}"
        raise InvalidInput(f"{asked}: {hint} (see fieldtheory --help)")
    options = _parser(first).parse_args(_joined(words[1:]))
    try:
        _prepare_picture(options, first)
        return _answer(VERBS[first].run(options), options)
    except KeyboardInterrupt:
        kept = getattr(options, "store", None)
        note = f"; finished draws are kept in {kept}, the same command goes on from there"
        raise KeyboardInterrupt(note if kept else "") from None


def _prepare_picture(options: Options, verb: str) -> None:
    """Refuse a picture that cannot be drawn or written before the work, not after it."""
    found = find_spec("matplotlib") is not None
    if verb == "demo" and options.plot is None:
        options.plot = PICTURE if found else None
        if not found:
            _say("no picture without matplotlib: pip install 'fieldtheory[plot]'")
    path = getattr(options, "plot", None)
    if path is None:
        return
    from fieldtheory.ground.picture import check_path

    if not found:
        raise MissingExtra("--plot needs matplotlib: pip install 'fieldtheory[plot]'")
    check_path(path)


def _answer(answer: Answer, options: Options) -> int:
    from fieldtheory.practice.output import as_json

    print(as_json(answer.data()) if options.json else answer.text(), flush=True)
    if getattr(options, "plot", None) is not None:
        from fieldtheory.plot import draw

        _say(f"picture in {draw(*answer.results, path=options.plot)}")
    return DONE if answer.good else FAILED


def _say(message: str) -> None:
    """One line on standard error."""
    print(" ".join(message.split()), file=sys.stderr, flush=True)

"""The command line: arguments in, answers out. The only file that prints.

What the verbs are is told in `practice.verbs`. Finding one costs nothing; what it needs is imported
when it runs. Exit 0 done, 1 a comparison failed, 2 misuse.
"""

import argparse
import io
import os
import re
import sys
import warnings
from collections.abc import Callable, Sequence
from difflib import get_close_matches
from importlib.util import find_spec
from itertools import takewhile
from typing import Any, NoReturn

from fieldtheory.ground.errors import FieldTheoryError, InvalidInput, MissingExtra
from fieldtheory.ground.version import __version__
from fieldtheory.practice.verbs import VERBS, Answer, Option, shown

DONE, FAILED, MISUSE, INTERRUPTED, PIPE_CLOSED = 0, 1, 2, 130, 141
PICTURE = "fieldtheory-demo.png"

Options = argparse.Namespace


# -- reading the arguments ---------------------------------------------------------------------


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise InvalidInput(f"{message} (see {self.prog} --help)")

    def read(self, words: list[str]) -> Options:
        """The options; all flags that do not exist are refused at once, each with the nearest."""
        given = [word.partition("=")[0] for word in takewhile(lambda word: word != "--", words)]
        known = {flag.lstrip("-"): flag for flag in self._option_string_actions}
        faults = []
        for flag in given:
            if flag.startswith("--") and flag not in self._option_string_actions:
                near = get_close_matches(flag.lstrip("-"), known, n=1, cutoff=0.75)
                hint = f", did you mean {known[near[0]]}?" if near else ""
                faults.append(f"{flag}: unknown{hint}")
        if faults:
            self.error("; ".join(faults))
        return self.parse_args(words)


def _reader(read: Callable[[str], Any]) -> Callable[[str], Any]:
    """The same reader with errors that `argparse` passes on as they are."""

    def checked(text: str) -> Any:
        try:
            return read(text)
        except InvalidInput as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return checked


def _add(parser: argparse.ArgumentParser, options: Sequence[Option]) -> None:
    """The options of one verb; of a group exactly one must be given."""
    groups: dict[str, Any] = {}
    for option in options:
        place: Any = parser
        if option.group is not None:
            if option.group not in groups:
                groups[option.group] = parser.add_mutually_exclusive_group(required=True)
            place = groups[option.group]
        settings = dict(option.settings)
        if settings.get("action") == "store_const":
            settings["default"] = argparse.SUPPRESS
        if option.read is not None:
            settings["type"] = _reader(option.read)
        place.add_argument(*option.words, help=option.about, **settings)


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
        parser.add_argument("--store", metavar="FILE", help="keep what is finished here, resume")
    _add(parser, verb.options)
    if verb.sections:
        taken = {word for option in verb.options for word in option.words}
        _spec_flags(parser, verb.sections, taken)
    return parser


def _spec_flags(
    parser: argparse.ArgumentParser, sections: Sequence[str], options: set[str]
) -> None:
    """The keys of the sections as flags; a name the verb leaves free may be shortened, and one it
    has itself gets its section in front."""
    from fieldtheory.practice.sections import SECTIONS
    from fieldtheory.practice.spec import Spec

    parser.add_argument("spec", nargs="?", metavar="SPEC.toml", help="flags override it")
    flags = [flag for flag in Spec.flags() if flag.path.partition(".")[0] in sections]
    taken = {flag.flag for flag in flags} | options
    titles = {name: (SECTIONS[name].__doc__ or name).rstrip(".") for name in sections}
    groups = {name: parser.add_argument_group(title) for name, title in titles.items()}
    for flag in flags:
        section, _, name = flag.path.partition(".")
        short = "--" + name.replace("_", "-")
        names = [flag.flag] if short in taken else [short, flag.flag]
        if flag.flag in options:
            names = [f"--{section}-{short[2:]}"]
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
    rows = [f"  {name:<11s} {verb.about}\n{'':14s}{verb.example}" for name, verb in VERBS.items()]
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
    except OverflowError as error:
        _say(f"{name}: a number left the range of floats ({error.args[-1]}): ask for smaller ones")
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
        asked = f"unknown verb {shown(first)}" if words else "no verb given"
        hint = f"did you mean {near[0]}?" if near else f"choose one of {', '.join(VERBS)}"
        raise InvalidInput(f"{asked}: {hint} (see fieldtheory --help)")
    options = _parser(first).read(_joined(words[1:]))
    try:
        _prepare_picture(options, first)
        with warnings.catch_warnings(record=True) as raised:
            warnings.simplefilter("always", RuntimeWarning)
            done = _answer(VERBS[first].run(options, _say), options)
        for text in sorted({str(warning.message) for warning in raised}):
            _say(f"fieldtheory {first}: warning: {text}")
        return done
    except KeyboardInterrupt:
        kept = getattr(options, "store", None)
        note = f"; what is finished is kept in {kept}, the same command goes on from there"
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

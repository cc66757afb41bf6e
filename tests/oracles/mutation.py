"""Spoil one line of a function, to see whether a test notices."""

import inspect
import sys
import textwrap


def spoil(monkeypatch, function, old, new):
    """Replace `old`, which must occur once in the source of `function`, by `new`."""
    source = textwrap.dedent(inspect.getsource(function))
    assert source.count(old) == 1, f"{old!r} occurs {source.count(old)} times"
    module = sys.modules[function.__module__]
    space = dict(vars(module))
    code = compile("from __future__ import annotations\n" + source.replace(old, new), "", "exec")
    exec(code, space)
    owner = module
    *path, name = function.__qualname__.split(".")
    for part in path:
        owner = getattr(owner, part)
    monkeypatch.setattr(owner, name, space[name])


def survives(check):
    """Whether a check passes."""
    try:
        check()
    except Exception:  # a mutant that crashes is caught as well
        return False
    return True

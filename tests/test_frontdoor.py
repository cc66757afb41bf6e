import subprocess
import sys
from importlib import import_module
from inspect import ismodule

import pytest

import fieldtheory

HEAVY = ("numpy", "scipy", "sympy", "networkx", "matplotlib", "mpmath", "tqdm")


@pytest.mark.parametrize("name", fieldtheory.HOME)
def test_every_name_is_what_its_home_defines(name):
    found = getattr(fieldtheory, name)
    assert found is getattr(import_module(fieldtheory.HOME[name]), name)
    assert found.__module__ == fieldtheory.HOME[name], "re-exported from elsewhere"
    assert found.__doc__


@pytest.mark.parametrize("name", fieldtheory.MODULES)
def test_every_module_is_a_module(name):
    assert ismodule(getattr(fieldtheory, name))


def test_all_is_what_dir_shows():
    assert dir(fieldtheory) == sorted(fieldtheory.__all__)
    assert len(set(fieldtheory.__all__)) == len(fieldtheory.__all__)
    assert "__version__" in fieldtheory.__all__


def test_an_unknown_name_is_told_what_there_is():
    with pytest.raises(AttributeError, match=r"no name 'predikt'; it has .*predict"):
        _ = fieldtheory.predikt


def test_importing_the_front_door_loads_nothing_heavy():
    code = f"import sys, fieldtheory; print([m for m in {HEAVY} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"

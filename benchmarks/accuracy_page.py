"""The page docs/accuracy.md: predictions scored against the measurements in accuracy.json.

Run by `python benchmarks/accuracy.py --page`.
"""

import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from accuracy import LAST, NOISE, SINGULAR, Column, jobs, load, summary
from tqdm import tqdm

import fieldtheory as ft
from fieldtheory.model.planar.equation import effective_ridge, mode_errors
from fieldtheory.model.spectrum import spectrum

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "accuracy.md"
CURVES = ROOT / "tests" / "reference" / "learning_curves.json"
ALLOWED = {2: (3 / 4, 1 / 2), 3: (1 / 2, 1 / 3)}  # of the planar error, two and three samples
OTHERWISE = (1 / 3, 1 / 6)
SMALL = 0.03  # planar error from which that is asked
WORDS = ("planar", "two samples", "three samples")


@dataclass(frozen=True, eq=False)
class Case:
    """One curve: what was measured, and three predictions of it with their uncertainties.

    truth, spread  (sizes,) measured mean and standard error
    errors         (3, sizes) planar, two samples, three samples
    stated         (3, sizes) their uncertainties
    plain          (sizes,) three samples without the continued series
    half           "chosen on" or "proved on": the halves of the grid for the continued series
    """

    grid: str
    d: int
    column: Column
    noise: float
    sizes: np.ndarray
    truth: np.ndarray
    spread: np.ndarray
    errors: np.ndarray
    stated: np.ndarray
    plain: np.ndarray

    @property
    def half(self) -> str:
        return "chosen on" if self.column.name.startswith(CHOSEN) else "proved on"

    @property
    def off(self) -> np.ndarray:
        """(3, sizes) relative errors of the predictions."""
        return self.errors / self.truth - 1

    @property
    def typical(self) -> np.ndarray:
        """(3,) their root mean square over the curve."""
        return rms(self.off)

    @property
    def sampling(self) -> float:
        return float(rms(self.spread / self.truth))

    def missed(self) -> list[int]:
        """Which orders, 1 or 2, do not do what is asked of them."""
        one, *higher = self.typical
        share = ALLOWED.get(self.d, OTHERWISE)
        asked = share if one > SMALL or self.d in ALLOWED else (np.inf, np.inf)
        best = [max(a * one, 0) if np.isfinite(a) else one + self.sampling for a in asked]
        return [k + 1 for k, found in enumerate(higher) if found > best[k]]


CHOSEN = ("a=2.5", "depth=2", "depth=4", "depth=6")


def rms(values: np.ndarray) -> np.ndarray:
    return np.sqrt(np.mean(np.asarray(values) ** 2, axis=-1))


# -- predictions ----------------------------------------------------------------------------------


def questions() -> Iterator[Case]:
    """What was measured, curve by curve, without predictions as yet."""
    results, curves = load(), {}
    for job in jobs():
        for place, column in enumerate(job.columns):
            key = (job.grid, job.d, column.name, job.poisson, column.power.size)
            curves.setdefault(key, (job, column, place, []))[3].append(results[job.key])
    for job, column, place, found in curves.values():
        sizes = np.array([r["N"] for r in found])
        for noise in noises(job.grid, job.d, column.ridge, job.poisson):
            truth, spread = np.transpose([[v[place] for v in summary(r, noise)] for r in found])
            nothing = np.zeros((3, sizes.size))
            yield Case(
                job.grid + " poisson" * job.poisson,
                job.d,
                column,
                noise,
                sizes,
                truth,
                spread,
                nothing,
                nothing,
                nothing[0],
            )


def noises(grid: str, d: int, ridge: float, poisson: bool) -> tuple[float, ...]:
    if grid == "A":
        return (0.0,) if ridge == 0 and d <= SINGULAR else (0.0, NOISE)
    return (NOISE,) if grid == "C" and d == 3 and not poisson else (0.0,)


def predicted(case: Case) -> Case:
    column, ensemble = case.column, "poisson" if "poisson" in case.grid else "fixed"
    task = ft.Task.sphere(case.d, column.power, case.noise, ridge=column.ridge)
    ways = ({"method": "planar"}, {"clusters": 2}, {"clusters": 3})
    curves = [ft.predict(column.lines, task, case.sizes, ensemble=ensemble, **w) for w in ways]
    return replace(
        case,
        errors=np.array([curve.error for curve in curves]),
        stated=np.array([curve.uncertainty for curve in curves]),
        plain=curves[2].orders[2],
    )


# -- tables ---------------------------------------------------------------------------------------


def table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    rule = "|".join("---" if k == 0 else "---:" for k in range(len(head)))
    lines = [" | ".join(row) for row in (head, *rows)]
    return "\n".join([f"| {lines[0]} |", f"|{rule}|", *(f"| {line} |" for line in lines[1:])])


def percent(x: float, signed: bool = False) -> str:
    sign = "+" if signed else ""
    return f"{100 * x:{sign}.{0 if abs(x) >= 0.1 else 1 if abs(x) >= 0.001 else 2}f}"


def scores(cases: list[Case], label: Callable[[Case], tuple[str, ...]]) -> list[tuple[str, ...]]:
    rows = []
    for case in cases:
        one, two, three = case.typical
        missed = case.missed()
        shares = [f"{x / one:.2f}" + " (!)" * (k in missed) for k, x in ((1, two), (2, three))]
        found = map(percent, (one, two, three))
        rows.append((*label(case), *found, *shares, percent(case.sampling)))
    return rows


HEAD = ("planar %", "two %", "three %", "two / planar", "three / planar", "s.e. %")


def on_power_laws(cases: list[Case]) -> str:
    text = []
    for d in LAST:
        some = [c for c in cases if c.grid == "A" and c.d == d]
        text.append(f"**d = {d}**, degrees up to {LAST[d]}\n")
        if max(c.typical[0] for c in some) < SMALL:
            text.append(nearly_planar(some) + "\n")
            continue
        rows = scores(some, lambda c: (c.column.name[2:].split()[0], *map("{:g}".format, of(c))))
        text.append(table(("a", "ridge", "noise", *HEAD), rows) + "\n")
    return "\n".join(text)


def of(case: Case) -> tuple[float, float]:
    return case.column.ridge, case.noise


def nearly_planar(cases: list[Case]) -> str:
    """A sentence in place of a table."""
    worst = np.max([[*c.typical, c.sampling] for c in cases], axis=0)
    one, two, three, spread = (f"{100 * x:.2g} %" for x in worst)
    missed = sum(bool(c.missed()) for c in cases)
    verdict = f"{missed} of them are" if missed else "None is"
    return "\n".join(
        (
            f"{len(cases)} curves, all planar but for little. Their largest root mean squares:",
            f"{one} planar, {two} with two samples, {three} with three; standard errors are up",
            f"to {spread}. {verdict} worse than planar by more than the standard error.",
        )
    )


def on_networks(cases: list[Case]) -> str:
    some = [c for c in cases if c.grid == "B"]
    rows = scores(some, lambda c: (f"{c.d}", c.column.name[6], f"{c.column.ridge:g}"))
    return table(("d", "depth", "ridge", *HEAD), rows)


def printed(cases: list[Case]) -> str:
    rows = []
    for c in (c for c in cases if c.grid.startswith("C")):
        for i, n in enumerate(c.sizes):
            kind = "Poisson" if "poisson" in c.grid else "fixed"
            cells = (percent(x, signed=True) for x in c.off[:, i])
            se = percent(c.spread[i] / c.truth[i])
            last = f"{c.column.power.size - 1}"
            question = (f"{c.d}", last, *map("{:g}".format, of(c)), kind, f"{n}")
            rows.append((*question, *cells, se))
    head = ("d", "last degree", "ridge", "noise", "samples", "N", *HEAD[:3], "s.e. %")
    return table(head, rows)


def continued(cases: list[Case]) -> str:
    rows = []
    for half in ("chosen on", "proved on"):
        for d in (2, 3, 5, 10):
            some = [c for c in cases if c.half == half and c.d == d and c.typical[0] > 0.01]
            if not some:
                continue
            plain = [rms(c.plain / c.truth - 1) / c.typical[0] for c in some]
            whole = [c.typical[2] / c.typical[0] for c in some]
            cells = (np.mean(plain), np.max(plain), np.mean(whole), np.max(whole))
            rows.append((half, f"{d}", f"{len(some)}", *(f"{x:.3f}" for x in cells)))
    columns = ("plain, mean", "plain, worst", "continued, mean", "continued, worst")
    return table(("half", "d", "curves", *columns), rows)


GROUPS = ((2,), (3,), (5,), (4, 6, 8), (10,), (50,))


def coverage(cases: list[Case]) -> str:
    rows = []
    for group in GROUPS:
        some = [c for c in cases if c.d in group]
        for k, word in enumerate(WORDS):
            gap = np.concatenate([np.abs(c.off[k]) for c in some])
            stated = np.concatenate([c.stated[k] / c.truth for c in some])
            spread = np.concatenate([c.spread / c.truth for c in some])
            inside = (np.mean(gap <= stated), np.mean(gap <= stated + 2 * spread))
            cells = [f"{100 * x:.0f}" for x in inside]
            cells += [percent(np.median(x)) for x in (gap, stated, spread)]
            name = ", ".join(map(str, group))
            rows.append((name, word, f"{gap.size}", *cells))
    head = ("d", "method", "points", "inside %", "with 2 s.e. %", "gap %", "stated %", "s.e. %")
    return table(head, rows)


def short(cases: list[Case]) -> str:
    """Two lines to remember."""
    rows = []
    for d in (2, 3, 5, 10):
        for grid, kind in (("A", "falling eigenvalues"), ("B", "ReLU networks")):
            some = np.array([c.typical for c in cases if c.d == d and c.grid == grid])
            if some.size:
                cells = (percent(np.mean(some[:, k])) for k in (0, 2))
                rows.append((f"typical error in {d} dimensions, {kind}", *cells))
    return "\n".join(f"| {a} | {b} % | {c} % |" for a, b, c in rows)


# -- the reference curves -------------------------------------------------------------------------


def reference() -> tuple[str, str]:
    """Planar curves digit by digit, and measured ones."""
    curves = json.loads(CURVES.read_text())
    worst, groups = 0.0, {}
    for curve in curves["planar"]:
        N, _, truth = np.array(curve["rows"], dtype=float).T
        lines, power = _modes(curve["spec"])
        kappa = effective_ridge(lines, N, curve["ridge"] + lines.tail)
        found = np.sum(mode_errors(lines, power, N, kappa, curve["noise"]), axis=(0, -1))
        worst = max(worst, float(np.max(np.abs(found / truth - 1))))
    for curve in curves["measured"]:
        spec, rows = curve["spec"], np.array(curve["rows"], dtype=float)
        key = (spec["d"], f"{spec['act']} {spec['kernel'].upper()}".replace("relu", "ReLU"))
        groups.setdefault(key, []).extend(_gaps(spec, rows))
    table_rows = []
    for (d, kernel), found in groups.items():
        off, out, spread = (np.concatenate(part, axis=-1) for part in zip(*found, strict=True))
        cells = [
            f"{percent(rms(x))} %, {int(np.sum(y))} out" for x, y in zip(off, out, strict=True)
        ]
        table_rows.append((f"{d}", kernel, f"{spread.size}", *cells, percent(rms(spread))))
    return f"{worst:.0e}", table(("d", "kernel", "points", *WORDS, "s.e. %"), table_rows)


def _gaps(spec: dict, rows: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """At every ridge and noise: relative errors of the three methods, those that are out, and the
    relative standard error."""
    for ridge, noise in np.unique(rows[:, 1:3], axis=0):
        N, _, _, _, truth, spread = rows[(rows[:, 1] == ridge) & (rows[:, 2] == noise)].T
        ways = ({"method": "planar"}, {"clusters": 2}, {"clusters": 3})
        off = np.array([_ask(spec, N, ridge, noise, **way).error - truth for way in ways])
        allowed = 4 * spread + (0.02 * truth if spec["d"] == 10 else 0)
        yield off / truth, np.abs(off) > allowed, spread / truth


def _modes(spec: dict) -> tuple[ft.Spectrum, np.ndarray]:
    network, norm = _network(spec)
    lines = spectrum(network.on_sphere(spec["d"], norm), spec["d"])
    power = np.zeros(lines.eigenvalues.size)
    power[1:3] = 0.5
    return lines, power


def _network(spec: dict) -> tuple[ft.Network, str]:
    variances = float(spec["sw2"]), float(spec["sb2"])
    network = ft.Network(spec["depth"], spec["act"], *variances, kernel=spec["kernel"])
    return network, "unit" if spec["input_scale"] == "S" else "dimension"


def _ask(spec: dict, N: np.ndarray, ridge: float, noise: float, **way: object) -> ft.LearningCurve:
    network, norm = _network(spec)
    power = [0, 0.5, 0.5]
    task = ft.Task.sphere(spec["d"], power, float(noise), ridge=float(ridge), input_norm=norm)
    return ft.predict(network, task, N.astype(int), **way)


# -- the page -------------------------------------------------------------------------------------


def misses(cases: list[Case]) -> str:
    lines = []
    for c in cases:
        sizes = f", N = {' and '.join(map(str, c.sizes))}" if c.sizes.size < 3 else ""
        for k in c.missed():
            share, asked = c.typical[k] / c.typical[0], ALLOWED.get(c.d, OTHERWISE)[k - 1]
            name = c.column.name.replace("=", " ").replace("s2", "ridge")
            verdict = f"{WORDS[k]} leave {share:.2f} of the planar error, asked {asked:.2f}"
            if c.typical[k] <= asked * c.typical[0] + c.sampling:
                verdict += " (within the s.e.)"
            lines.append(f"- d = {c.d}, {name}, noise {c.noise:g}{sizes}: {verdict}")
    return "\n".join(lines) or "- none"


def write() -> None:
    cases = [predicted(case) for case in tqdm(list(questions()), file=sys.stderr)]
    planar, measured = reference()
    text = Path(__file__).with_name("accuracy.template.md").read_text()
    parts = {
        "SHORT": short(cases),
        "POWER_LAWS": on_power_laws(cases),
        "NETWORKS": on_networks(cases),
        "PRINTED": printed(cases),
        "CONTINUED": continued(cases),
        "COVERAGE": coverage(cases),
        "MISSES": misses(cases),
        "PLANAR_DIGITS": planar,
        "REFERENCE": measured,
        "CURVES": f"{len(cases)}",
        "POINTS": f"{sum(c.sizes.size for c in cases)}",
    }
    for name, part in parts.items():
        text = text.replace("{{" + name + "}}", part)
    PAGE.write_text(text)

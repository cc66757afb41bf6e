"""The pictures of these pages, drawn by the library at every build."""

from itertools import pairwise
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

import fieldtheory as ft
from fieldtheory.model.measures.projection import by_harmonics, by_series
from fieldtheory.theory.gallery import sheet

LINES = (  # a title, and the block each site belongs to
    ("one sample, visited twice", "aa"),
    ("y inside x: nested", "abba"),
    ("x, then y: apart", "aabb"),
    ("x y x y: crossing", "abab"),
    ("x y x y x: crossing", "ababa"),
)
IRREDUCIBLE = {"one_particle_irreducible": True}
DIAGRAMS = {  # a name: action, legs, what is asked
    "self_energy": (ft.Action.phi(4), 2, {"order": 2}),
    "vertex": (ft.Action.phi(3), 3, {"loops": 2, **IRREDUCIBLE}),
    "fields": (
        ft.Action.read("psi*psi_bar + phi^2/2 + y*psi*psi_bar*phi"),
        ("psi", "psi_bar"),
        {"order": 4, **IRREDUCIBLE},
    ),
}


def draw_all(folder: Path) -> None:
    """Write every picture into `folder`."""
    curve(folder / "curve.svg")
    doubt(folder / "doubt.svg")
    partitions(folder / "partitions.svg")
    accuracy(folder / "accuracy.svg")
    for name, (action, legs, asked) in DIAGRAMS.items():
        found = ft.diagrams(action, legs, connected=True, **asked)
        on_paper = sheet(found).replace("<svg ", '<svg style="background: white" ', 1)
        (folder / f"{name}.svg").write_text(on_paper, encoding="utf-8")


def curve(path: Path) -> None:
    """The paper's network, predicted and measured."""
    network = ft.Network(depth=4, activation="relu", weight_variance=1, bias_variance=1)
    task = ft.Task.sphere(dimension=50, target=[0, 0.5, 0.5])
    predicted = ft.predict(network, task, spread(100, 800))
    measured = ft.measure(network, task, [100, 200, 400], draws=30, rng=1, progress=False)
    ft.draw(predicted, measured, path=path)


def doubt(path: Path) -> None:
    """Few modes, little ridge: a planar prediction that is not sure of itself, and a better one."""
    network = ft.Network(depth=3)
    task = ft.Task.sphere(dimension=5, target="x0 + x0*x1", ridge=0.01)
    planar = ft.predict(network, task, spread(10, 160), method="planar")
    crossing = ft.predict(network, task, spread(10, 160))
    measured = ft.measure(network, task, [10, 20, 40, 80, 160], draws=60, rng=1, progress=False)
    ft.draw(planar, crossing, measured, path=path)


def spread(low: int, high: int) -> list[int]:
    """Numbers of samples, evenly on a logarithmic axis."""
    return sorted({round(float(n)) for n in np.geomspace(low, high, 33)})


def partitions(path: Path) -> None:
    """Sites on a line, joined by arcs into blocks."""
    figure = Figure(figsize=(7.5, 1.7), layout="constrained")
    for axes, (title, blocks) in zip(figure.subplots(1, len(LINES)), LINES, strict=True):
        sites = range(len(blocks))
        axes.plot([-0.7, len(blocks) - 0.3], [0, 0], color="grey", linewidth=1)
        for colour, block in (("C0", "a"), ("C3", "b")):
            inside = [n for n in sites if blocks[n] == block]
            axes.plot(inside, [0] * len(inside), "o", color=colour)
            for left, right in pairwise(inside):
                angle = np.linspace(0, np.pi, 60)
                radius = (right - left) / 2
                across = (left + right) / 2 + radius * np.cos(angle)
                axes.plot(across, radius * np.sin(angle), color=colour)
        axes.set(xlim=(-0.8, 4.3), ylim=(-0.4, 1.7), aspect="equal")
        axes.set_title(title, fontsize=8)
        axes.axis("off")
    figure.savefig(path)


def accuracy(path: Path) -> None:
    """Relative error of eigenvalues on both float64 roads, against twenty digits."""
    dimension, last = 10, 32
    kernel = ft.Network(depth=4).on_sphere(dimension)
    truth = ft.precise_spectrum(kernel, dimension, last, digits=20).eigenvalues
    figure = Figure(figsize=(7, 3.2), layout="constrained")
    axes = figure.subplots()
    for road, label in ((by_harmonics, "quadrature of K P"), (by_series, "Rodrigues and Taylor")):
        found, bound = road(kernel, dimension, last)
        error = np.maximum(np.abs(found / truth - 1), 1e-17)
        (points,) = axes.plot(error, "o", markersize=3, label=f"{label}: error")
        axes.plot(bound / truth, color=points.get_color(), label="its own bound")
    axes.set(yscale="log", xlabel="degree", ylabel="relative error of the eigenvalue")
    axes.set_title("ReLU NTK of depth 4 in 10 dimensions", fontsize="small")
    axes.grid(alpha=0.3)
    axes.legend(fontsize="small")
    figure.savefig(path)

"""The field-theory calculator for deep learning: from a network and a task to a learning curve.

Every public name, one a line; each is imported when it is first used.
"""

from importlib import import_module
from typing import Any

from fieldtheory.ground.version import __version__ as __version__

HOME = {
    "FieldTheoryError": "fieldtheory.ground.errors",
    "InvalidInput": "fieldtheory.ground.errors",
    "OutOfRegime": "fieldtheory.ground.errors",
    "MissingExtra": "fieldtheory.ground.errors",
    "Law": "fieldtheory.ground.law",
    "Reference": "fieldtheory.ground.law",
    "Action": "fieldtheory.theory.action",
    "Field": "fieldtheory.theory.field",
    "Propagator": "fieldtheory.theory.field",
    "Vertex": "fieldtheory.theory.action",
    "Diagram": "fieldtheory.theory.diagram",
    "diagrams": "fieldtheory.theory.enumeration",
    "sheet": "fieldtheory.theory.gallery",
    "amplitude": "fieldtheory.theory.amplitude",
    "correlator": "fieldtheory.theory.generating",
    "cumulant": "fieldtheory.theory.generating",
    "free_energy": "fieldtheory.theory.generating",
    "effective_action": "fieldtheory.theory.generating",
    "vertex_function": "fieldtheory.theory.generating",
    "Flow": "fieldtheory.theory.flows.flow",
    "FixedPoint": "fieldtheory.theory.flows.flow",
    "shell_flow": "fieldtheory.theory.flows.shells",
    "minimal_subtraction": "fieldtheory.theory.flows.critical",
    "PowerLaw": "fieldtheory.theory.flows.powerlaw",
    "Program": "fieldtheory.compiler.program",
    "compile_expression": "fieldtheory.compiler.program",
    "compile_gradient": "fieldtheory.compiler.program",
    "plan_series": "fieldtheory.compiler.angular",
    "Network": "fieldtheory.model.network",
    "activation": "fieldtheory.model.activation",
    "Activation": "fieldtheory.model.activation",
    "RepeatedLayer": "fieldtheory.model.depth.criticality",
    "DepthFlow": "fieldtheory.model.depth.criticality",
    "depth_flow": "fieldtheory.model.depth.criticality",
    "critical_weight_variance": "fieldtheory.model.depth.phase",
    "critical_point": "fieldtheory.model.depth.phase",
    "susceptibility_line": "fieldtheory.model.depth.phase",
    "phase_diagram": "fieldtheory.model.depth.phase",
    "PhaseDiagram": "fieldtheory.model.depth.phase",
    "Kernel": "fieldtheory.model.kernel",
    "standard_kernel": "fieldtheory.model.kernel",
    "Spectrum": "fieldtheory.model.spectrum",
    "spectrum": "fieldtheory.model.spectrum",
    "precise_spectrum": "fieldtheory.model.measures.precise",
    "family": "fieldtheory.model.batch",
    "spectra": "fieldtheory.model.batch",
    "Spectra": "fieldtheory.model.batch",
    "renormalise": "fieldtheory.model.perturbative",
    "Modes": "fieldtheory.model.modes",
    "gram": "fieldtheory.model.measures.gram",
    "empirical_spectrum": "fieldtheory.model.measures.data",
    "gram_spectrum": "fieldtheory.model.measures.data",
    "DataSpectrum": "fieldtheory.model.measures.data",
    "gaussian_dot_product": "fieldtheory.model.measures.gaussian",
    "gaussian_network": "fieldtheory.model.measures.gaussian",
    "gaussian_rbf": "fieldtheory.model.measures.gaussian",
    "torus_modes": "fieldtheory.model.measures.torus",
    "torus_product": "fieldtheory.model.measures.torus",
    "dataset": "fieldtheory.practice.dataset",
    "Dataset": "fieldtheory.practice.dataset",
    "beyond": "fieldtheory.model.diagrams.beyond",
    "Target": "fieldtheory.model.target",
    "VectorTarget": "fieldtheory.model.target",
    "Labelled": "fieldtheory.model.labelled",
    "zonal_power": "fieldtheory.model.measures.function",
    "grid_power": "fieldtheory.model.measures.function",
    "sampled_power": "fieldtheory.model.measures.function",
    "Task": "fieldtheory.model.task",
    "LearningCurve": "fieldtheory.model.curve",
    "predict": "fieldtheory.model.predict",
    "eliminate": "fieldtheory.model.elimination",
    "Elimination": "fieldtheory.model.elimination",
    "local_ridge": "fieldtheory.model.elimination",
    "trajectory": "fieldtheory.model.running",
    "MLP": "fieldtheory.model.mlp",
    "measure": "fieldtheory.practice.regression",
    "Measurement": "fieldtheory.practice.regression",
    "compare": "fieldtheory.practice.compare",
    "Comparison": "fieldtheory.practice.compare",
    "train": "fieldtheory.practice.train",
    "Trained": "fieldtheory.practice.train",
    "tune": "fieldtheory.practice.tune",
    "Tuned": "fieldtheory.practice.tune",
    "Space": "fieldtheory.practice.tune",
    "Line": "fieldtheory.ground.picture",
    "Picture": "fieldtheory.ground.picture",
    "draw": "fieldtheory.plot",
}
MODULES = {
    "elimination": "fieldtheory.theory.flows.elimination",
    "learning": "fieldtheory.theory.learning",
    "laws": "fieldtheory.theory.laws",
    "partitions": "fieldtheory.theory.samples.partitions",
    "poisson": "fieldtheory.theory.samples.poisson",
    "replica": "fieldtheory.theory.replica",
    "structure": "fieldtheory.theory.samples.structure",
    "words": "fieldtheory.theory.samples.words",
    "zero": "fieldtheory.theory.zero",
}
__all__ = ["__version__", *HOME, *MODULES]


def __getattr__(name: str) -> Any:
    if name in MODULES:
        return import_module(MODULES[name])
    if name in HOME:
        return getattr(import_module(HOME[name]), name)
    raise AttributeError(f"module 'fieldtheory' has no name {name!r}; it has {', '.join(__all__)}")


def __dir__() -> list[str]:
    return sorted(__all__)

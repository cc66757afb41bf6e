"""From a question written down (`Spec`) to networks, tasks and answers: one function a verb."""

from os import PathLike
from typing import Any, NamedTuple

from fieldtheory.ground.errors import InvalidInput
from fieldtheory.model.curve import LearningCurve
from fieldtheory.model.inverse.bestridge import BestRidge, best_ridge
from fieldtheory.model.inverse.crossover import Crossovers, crossover
from fieldtheory.model.inverse.samples import SamplesFor, samples_for
from fieldtheory.model.kernel import Kernel, standard_kernel
from fieldtheory.model.measures.data import DataSpectrum, empirical_spectrum
from fieldtheory.model.measures.precise import precise_spectrum
from fieldtheory.model.network import Network
from fieldtheory.model.predict import predict
from fieldtheory.model.spectrum import Spectrum, spectrum
from fieldtheory.model.task import Task
from fieldtheory.practice.compare import Comparison, compare
from fieldtheory.practice.dataset import Dataset
from fieldtheory.practice.phases import Phases, phases
from fieldtheory.practice.prepared import prepared
from fieldtheory.practice.regression import Measurement, measure
from fieldtheory.practice.remembered import Remembered
from fieldtheory.practice.sections import (
    MeasureSection,
    PredictSection,
    TrainSection,
    TuneSection,
)
from fieldtheory.practice.spec import Spec, load
from fieldtheory.practice.training import Training, trained_beside
from fieldtheory.practice.tune import Space, Tuned, tune
from fieldtheory.practice.views import KernelCurve, Learnable, learnable

DEGREES = 10  # of a spectrum to many digits, when nobody says how many
MINUTES = 1500  # points from which a prediction on data takes minutes

Path = str | PathLike[str] | None


class Place(NamedTuple):
    """Where inputs lie: their dimension, `input_norm`, and the points if they are given."""

    dimension: int
    norm: str
    data: Dataset | None = None


def place_of(spec: Spec) -> Place:
    """The sphere of the task, or its data, read and prepared."""
    given = spec.task
    if given.data is not None:
        points = prepared(given)
        return Place(points.dimension, given.input_norm or "dimension", points)
    spec.need("task.dimension|task.data")
    assert given.dimension is not None
    return Place(given.dimension, given.input_norm or "unit")


def model_of(spec: Spec, place: Place | None = None) -> Network | Kernel | Spectrum:
    """The network, kernel or spectrum that the spec describes.

    >>> from fieldtheory.practice.spec import load
    >>> print(model_of(load(None, {"network.depth": "3", "task.dimension": "5"})))
    relu NTK, depth 3, weight variance 1, bias variance 1
    """
    if spec.network is not None:
        return network_of(spec)
    where = place or place_of(spec)
    if spec.spectrum is not None:
        return Spectrum.of(spec.spectrum.eigenvalues, where.dimension)
    spec.need("network|spectrum|kernel")
    given = spec.kernel
    assert given is not None
    return standard_kernel(
        given.name,
        length=given.length,
        smoothness=given.smoothness,
        degree=given.degree,
        offset=given.offset,
        radius=where.dimension**0.5 if where.norm == "dimension" else 1.0,
    )


def network_of(spec: Spec, kernel: str | None = None) -> Network:
    """The network, with another `kernel` if given.

    Raises `InvalidInput` where the spec has something else in its place.
    """
    given = spec.network
    if given is None:
        raise InvalidInput("this needs a network: give [network], not a kernel or a spectrum")
    return Network(
        given.depth,
        given.activation,
        given.weight_variance,
        given.bias_variance,
        kernel or given.kernel,
        given.residual,
        given.input_bias,
        given.trained,
        given.train_biases,
    )


def task_of(spec: Spec, place: Place | None = None) -> Task:
    """The task; asks for the target, the power per degree, or data."""
    spec.need("task.target|task.power|task.data")
    where, given = place or place_of(spec), spec.task
    if where.data is not None:
        return Task.data(
            where.data.inputs,
            where.data.labels,
            given.label_noise,
            ridge=given.ridge,
            tested=given.tested or "pool",
            name=_named(where.data),
        )
    target: Any = given.power if given.target is None else given.target
    return Task.sphere(
        where.dimension, target, given.label_noise, ridge=given.ridge, input_norm=where.norm
    )


def _named(data: Dataset) -> str:
    """Data as a question names them; how many points there are is said elsewhere."""
    return f"{data.name}, {data.dimension} features ({', '.join(data.notes)})"


def question_of(spec: Spec) -> tuple[Network | Kernel | Spectrum, Task]:
    """Model and task, the data read once."""
    spec.need("task.target|task.power|task.data")
    place = place_of(spec)
    return model_of(spec, place), task_of(spec, place)


def spectrum_of(
    spec: Spec, degrees: int | None = None, digits: int | None = None, samples: int | None = None
) -> Spectrum | DataSpectrum | Learnable:
    """The spectrum on the sphere or the data of the task; to `digits` digits when asked.

    With `samples` it says too which modes that many samples teach. Raises `InvalidInput` when
    degrees or digits are asked of eigenvalues that are given, or of data.
    """
    place = place_of(spec)
    found = _spectrum(model_of(spec, place), place, degrees, digits)
    return found if samples is None else learnable(found, samples, spec.task.ridge)


def _spectrum(
    model: Network | Kernel | Spectrum, place: Place, degrees: int | None, digits: int | None
) -> Spectrum | DataSpectrum:
    fixed = isinstance(model, Spectrum) or place.data is not None
    if fixed and (degrees is not None or digits is not None):
        raise InvalidInput(
            "degrees and digits are for eigenvalues that are computed on a sphere: the spec gives "
            "[spectrum] or task.data; give [network] or [kernel], and task.dimension"
        )
    if isinstance(model, Spectrum):
        return model
    if place.data is not None:
        return empirical_spectrum(model, place.data.inputs)
    d, kernel = place.dimension, _kernel(model, place)
    if digits is None:
        return spectrum(kernel, d, degrees)
    return precise_spectrum(kernel, d, DEGREES if degrees is None else degrees, digits)


def _kernel(model: Network | Kernel | Spectrum, place: Place) -> Kernel:
    if isinstance(model, Network):
        return model.on_sphere(place.dimension, place.norm)
    return model.kernel() if isinstance(model, Spectrum) else model


def kernel_curve(spec: Spec, points: int = 21) -> KernelCurve:
    """The kernel at `points` cosines from -1 to 1."""
    place = place_of(spec)
    return KernelCurve.of(_kernel(model_of(spec, place), place), points)


def phases_of(spec: Spec, cosine: float = 0.0, flow: bool = False) -> Phases:
    """Where the network stands among the phases of deep networks; `flow` is for the picture."""
    return phases(network_of(spec, "nngp"), cosine, flow)


def patience(spec: Spec) -> str:
    """What to say before a prediction that takes minutes; nothing before others."""
    data = place_of(spec).data
    if data is None or data.points < MINUTES or not _is_long(spec):
        return ""
    return (
        f"crossing diagrams on {data.points} points take minutes; --store FILE keeps what is "
        "finished; --points 500 or --method planar is quick"
    )


def _is_long(spec: Spec) -> bool:
    """Whether the prediction is made of parts that are worth keeping."""
    method = (spec.predict or PredictSection()).method
    return spec.task.data is not None and method in (None, "crossing")


def prediction(spec: Spec, store: Path = None) -> LearningCurve:
    """What `[predict]` asks; finished solutions on data are kept in `store`.

    Raises `InvalidInput` for a store where there is nothing to keep.
    """
    if store is not None and not _is_long(spec):
        raise InvalidInput(
            f"store {str(store)!r}: only crossing diagrams on data take long enough to be kept; "
            "leave --store out"
        )
    return _predicted(*question_of(spec), spec.predict or PredictSection(), store)


def _predicted(
    model: Network | Kernel | Spectrum, task: Task, asked: PredictSection, store: Path = None
) -> LearningCurve:
    with Remembered(store) as memory:
        return predict(model, task, asked.samples, memory=memory, **_options(asked))


def _options(asked: PredictSection) -> dict[str, Any]:
    """What `predict` takes beside the question; a method that is not named is left to it."""
    named = {} if asked.method is None else {"method": asked.method}
    rest = ("order", "clusters", "ensemble", "keep")
    return {**named, **{name: getattr(asked, name) for name in rest}}


def samples_needed(spec: Spec, error: float, most: int) -> SamplesFor:
    """How many samples the error takes."""
    model, task = question_of(spec)
    return samples_for(model, task, error, most=most, **_options(spec.predict or PredictSection()))


def ridge_wanted(spec: Spec) -> BestRidge:
    """The best ridge at the samples of `[predict]`."""
    asked = spec.predict or PredictSection()
    model, task = question_of(spec)
    return best_ridge(model, task, asked.samples, **_options(asked))


def crossing_points(spec: Spec, against: str, most: int) -> Crossovers:
    """Where the model of the spec and that of the file `against` change places, on the task of the
    first."""
    place = place_of(spec)
    other = model_of(load(against, inputs=False), place)
    options = _options(spec.predict or PredictSection())
    return crossover(model_of(spec, place), other, task_of(spec, place), most=most, **options)


def measurement(spec: Spec, store: Path = None) -> Measurement:
    """What `[measure]` asks, at the samples of `[predict]`; finished draws are kept in `store`."""
    asked, network = spec.measure or MeasureSection(), spec.train or TrainSection()
    model, task = question_of(spec)
    return measure(
        model,
        task,
        (spec.predict or PredictSection()).samples,
        draws=asked.draws,
        rng=asked.seed,
        by=asked.by,
        width=network.width,
        tests=network.tests,
        store=store,
    )


def comparison(spec: Spec, store: Path = None) -> Comparison:
    """The prediction (first: it may refuse) beside the measurement."""
    curve = prediction(spec, store if _is_long(spec) else None)
    return compare(curve, measurement(spec, store))


def tuning(spec: Spec) -> Tuned:
    """What `[tune]` asks; the spec's network is the one to beat.

    Raises `InvalidInput` when the spec has a kernel or a spectrum in its place.
    """
    asked, default = spec.tune or TuneSection(), network_of(spec)
    space = Space(asked.depth, asked.weight_variance, asked.bias_variance, asked.activation)
    return tune(task_of(spec), asked.samples, space, default=default)


def training(spec: Spec) -> Training:
    """Train one network of `[train]` for each of the samples of `[predict]`.

    Data and initialisation are those of draw 0 of `measurement` by gradient descent with the same
    seed. Raises `InvalidInput` when the spec has no network to train.
    """
    network, task = network_of(spec), task_of(spec)
    if task.on_data:
        raise InvalidInput(
            "train draws fresh inputs to test on, and data have none: give task.dimension, or "
            "train on the data with fieldtheory.train in Python"
        )
    if task.outputs > 1:
        raise InvalidInput(f"train learns one output, the target has {task.outputs}: give one")
    curve = _predicted(network, task, spec.predict or PredictSection())
    seed = (spec.measure or MeasureSection()).seed
    return trained_beside(curve, network, task, seed, spec.train or TrainSection())

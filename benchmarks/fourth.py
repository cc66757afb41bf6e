"""Four samples at a time: what they do to the predictions, and what they cost.

Root mean square of prediction / measurement - 1 over the curves of `accuracy.json`, in per cent:
planar, and with crossing diagrams of two, three and four samples; three and four with the rest of
the series where it can be told. *inside* counts the sizes whose measurement is within what the
curve of four samples states, two standard errors added. Below, what the rest of the series after
three samples was taken to be, and what four samples say.

    python benchmarks/fourth.py     (about two minutes)
"""

from collections.abc import Iterator
from time import process_time

import numpy as np
from accuracy_page import Case, questions, rms

from fieldtheory.model.diagrams import continued
from fieldtheory.model.diagrams.beyond import Beyond, beyond

MARGIN = 1.5  # times the remainder, as `predict` states it
RESTS = (30, 80)  # numbers of samples


def cases() -> Iterator[Case]:
    """Power laws on the circle with a ridge; on the sphere without label noise."""
    for case in questions():
        ridge, noise = case.column.ridge, case.noise
        if case.grid == "A" and ((case.d == 2 and ridge > 0) or (case.d == 3 and noise == 0)):
            yield case


def curves(case: Case) -> tuple[Beyond, Beyond, float]:
    """With three and with four samples, and the CPU time of four."""
    lines, sizes = case.column.lines, case.sizes.astype(float)
    question = (lines, case.column.power, sizes, case.column.ridge, case.noise)
    three, begun = beyond(*question, clusters=3), process_time()
    return three, beyond(*question, clusters=4), process_time() - begun


def line(case: Case, three: Beyond, four: Beyond, seconds: float) -> None:
    orders = (*three.orders[:2], three.error, four.error)
    cells = [100 * rms(order / case.truth - 1) for order in orders]
    stated = MARGIN * four.remainder + np.abs(four.ensemble) + 2 * case.spread
    inside = np.sum(np.abs(four.error - case.truth) <= stated)
    spread = 100 * rms(case.spread / case.truth)
    numbers = "".join(f"{cell:9.1f}" for cell in (*cells, spread))
    name = f"d = {case.d}, {case.column.name}, noise {case.noise:g}"
    print(f"{name:34s}{numbers}{inside:8d} / {case.sizes.size}{seconds:9.1f}")


def rests(name: str, four: Beyond, sizes: np.ndarray) -> None:
    """In the logarithm of the error, without label noise."""
    for place in np.flatnonzero(np.isin(sizes, RESTS)):
        orders = four.orders[:, [place]]
        guess, gaps = continued.rest(orders[:3])[0], np.diff(np.log(orders[:, 0]))
        numbers = "".join(f"{x:9.4f}" for x in (*gaps, guess))
        print(f"{name:28s}{sizes[place]:6d}{numbers}")


def main() -> None:
    head = ("planar", "two", "three", "four", "s.e.", "inside", "CPU s")
    print(f"{'':34s}" + "".join(f"{x:>9s}" for x in head))
    found = []
    for case in cases():
        three, four, seconds = curves(case)
        line(case, three, four, seconds)
        if case.noise == 0:
            found.append((f"d = {case.d}, {case.column.name}", four, case.sizes))
    head = ("N", "two", "three", "four", "foretold")
    print("\nwhat each order does to the logarithm of the error, and the rest foretold from three")
    print(f"{'':25s}" + "".join(f"{x:>9s}" for x in head))
    for row in found:
        rests(*row)


if __name__ == "__main__":
    main()

"""What a search costs."""

import pytest

from fieldtheory.model.predict import predict


@pytest.fixture
def asked(monkeypatch):
    """The crossing predictions that a search asks for: the sizes and the clusters of each."""
    calls = []

    def counted(model, task, samples, method="crossing", **options):
        if method == "crossing":
            calls.append((list(samples), options.get("clusters")))
        return predict(model, task, samples, method=method, **options)

    for room in ("scan", "ridges"):
        monkeypatch.setattr(f"fieldtheory.model.inverse.{room}.predict", counted)
    return calls

"""What every result can do: be drawn, and be shown by a notebook as it prints."""

from abc import ABC, abstractmethod
from html import escape
from typing import Any

from fieldtheory.ground.picture import Picture


class Pictured(ABC):
    """A result that has a picture."""

    @abstractmethod
    def picture(self) -> Picture:
        """The result as a picture, still data."""

    def plot(self, axes: Any = None) -> Any:
        """Draw it with matplotlib; returns the axes. Raises `MissingExtra` without it."""
        return self.picture().draw(axes)


class Printed:
    """A result that a notebook shows as it prints."""

    def _repr_html_(self) -> str:
        return f"<pre>{escape(str(self))}</pre>"

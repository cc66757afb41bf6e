"""Drawings of Feynman diagrams: plain data in, SVG or TikZ-Feynman text out.

sketch   what there is to draw       circle   one block on a circle
curves   arcs of circles             blocks   all blocks, from the middle outwards
part     a drawn part                layout   the whole, upright
strokes  styles and arrows           as_svg, as_tikz   the two languages
"""

from fieldtheory.theory.drawing.as_svg import sheet, svg
from fieldtheory.theory.drawing.as_tikz import tikz
from fieldtheory.theory.drawing.sketch import Cross, Leg, Line, Sketch

__all__ = ["Cross", "Leg", "Line", "Sketch", "sheet", "svg", "tikz"]

"""Drawings of Feynman diagrams: plain data in, SVG or TikZ-Feynman text out.

sketch   what there is to draw     curves   arcs of circles        circle   one block on a circle
blocks   all blocks as curves      layout   the whole, upright     strokes  styles and arrows
svg      pictures                  tikz     text for LaTeX
"""

from fieldtheory.theory.drawing.sketch import Cross, Leg, Line, Sketch
from fieldtheory.theory.drawing.svg import sheet, svg
from fieldtheory.theory.drawing.tikz import tikz

__all__ = ["Cross", "Leg", "Line", "Sketch", "sheet", "svg", "tikz"]

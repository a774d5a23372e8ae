"""All figures, a function each: in `learning`, `quality`, `machines`; their one `style`."""

from musiclib.paper.figures.learning import beginnings, escapes, learning_curves, plateau
from musiclib.paper.figures.machines import machine, restoration, sameness
from musiclib.paper.figures.quality import compared, densities, isl_curves, projections, thinning
from musiclib.paper.figures.style import NAMES, picture, save, style

__all__ = ["NAMES", "beginnings", "compared", "densities", "escapes", "isl_curves"]
__all__ += ["learning_curves", "machine", "picture", "plateau", "projections", "restoration"]
__all__ += ["sameness", "save", "style", "thinning"]

"""All figures, a function each, in one `style`.

Figure 1 is `biaxial`, Figure 2 `rbm`, Figures 3a and 3b `learning_curves`, Figure 4 `isl_curves`,
Figure 5 `projections`; the others go beyond the paper.
"""

from musiclib.paper.figures.architecture import biaxial
from musiclib.paper.figures.composed import real_and_composed
from musiclib.paper.figures.contents import contents
from musiclib.paper.figures.learning import beginnings, escapes, learning_curves, plateau
from musiclib.paper.figures.likelihood import benchmark_curves, forms, judged_music
from musiclib.paper.figures.machines import filters, rbm, restoration, sameness
from musiclib.paper.figures.quality import compared, densities, isl_curves, projections, thinning
from musiclib.paper.figures.rolls import notes_table, rolls
from musiclib.paper.figures.style import NAMES, drawable, picture, save, style

"""What stands where the panel would, for those who read a page: four pieces that were composed."""

from dataclasses import replace

from musiclib.exploring.take import player
from musiclib.exploring.wish import Wish, compose_wish
from musiclib.listening.player import Grid, grid

SEEDS = range(4)


def composed_grid(wish: Wish | None = None) -> Grid:
    """A grid of four players: what a wish (by default the shipped network's) is for four seeds."""
    wish = wish or Wish()
    return grid([player(compose_wish(replace(wish, seed=seed))) for seed in SEEDS])

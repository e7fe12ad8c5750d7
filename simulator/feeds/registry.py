"""Which function makes which feed's frame; every feed of the contracts has one.

Belongs here: the list. Does not belong here: anything else.
"""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

from simulator.city import City
from simulator.feeds import civil_affairs, livelihood, police_and_health, surroundings
from simulator.feeds.frame import arranged

_MODULES = (civil_affairs, livelihood, police_and_health, surroundings)


def frame_of(feed: str, city: City) -> pl.DataFrame:
    """This month's rows of a feed; ``KeyError`` where nobody makes that feed."""
    makers: list[Callable[[City], pl.DataFrame]] = [
        getattr(module, feed) for module in _MODULES if hasattr(module, feed)
    ]
    if not makers:
        raise KeyError(f"the simulator has no maker for the feed {feed}")
    return arranged(makers[0](city), city, feed)

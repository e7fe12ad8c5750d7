"""Cases that lie in the city, by indicator of the catalogue, and near misses that must not fire.

Belongs here: what the warehouse should find, and when at the latest. Does not belong here: how it finds it.
"""

from simulator.planted.scripts import stage
from simulator.planted.witness import Witness

__all__ = ["Witness", "stage"]

"""A synthetic city that delivers all feeds, with its truth apart: everything in it is drawn at random.

Belongs here: people, what happens to them, what departments see and send. Does not belong here: reading deliveries
(``ingestion``), rules of entitlement (``models.policy``). No real person is in it.
"""

from simulator.simulation import SimulationError, SimulationSummary, simulate

__all__ = ["SimulationError", "SimulationSummary", "simulate"]

"""Deliveries from elsewhere: mounted shares, S3-compatible and SFTP locations, tables of databases.

Belongs here: bringing them into the landing, from where they go the way of every delivery. Does not belong here:
what becomes of a delivery, when fetching happens (``orchestration``).
"""

from ingestion.source.check import Standing, new_in, reachable, standing
from ingestion.source.fetching import FetchReport, fetch
from ingestion.source.landing import landing_folders
from ingestion.source.problem import SourceError
from ingestion.source.record import Look, Record
from ingestion.source.settings import Source, Sources
from ingestion.source.settle import enter_refused, take_in

__all__ = [
    "FetchReport",
    "Look",
    "Record",
    "Source",
    "SourceError",
    "Sources",
    "Standing",
    "enter_refused",
    "fetch",
    "landing_folders",
    "new_in",
    "reachable",
    "standing",
    "take_in",
]

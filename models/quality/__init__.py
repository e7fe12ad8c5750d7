"""The catalogue of checks as data: kinds, checks written by hand, contradictions between departments, the grade.

Belongs here: reading ``catalogue.yaml`` into typed rows, and what SQL needs of it. Does not belong here: resolving
checks from contracts and running them (``expectations``), counting (``dbt_project/models/quality``).
"""

from models.quality.contradictions import ContradictionCheck, load_contradiction_checks
from models.quality.document import CATALOGUE_FILE, CatalogueError, catalogue_document
from models.quality.grade import Grade, GradePart, load_grade

__all__ = [
    "CATALOGUE_FILE",
    "CatalogueError",
    "ContradictionCheck",
    "Grade",
    "GradePart",
    "catalogue_document",
    "load_contradiction_checks",
    "load_grade",
]

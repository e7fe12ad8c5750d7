"""The statistics in words: which figures there are, which checks look at them, what a township is compared by.

Belongs here: reading ``figures.yaml``, ``checks.yaml`` and ``outliers.yaml`` into typed rows. Does not belong here:
counting (``dbt_project/models/statistics``) and how a workbook looks (``workbench``).
"""

from models.statistics.catalogue import (
    Figure,
    OutlierMeasure,
    StatisticsCheck,
    load_checks,
    load_figures,
    load_outlier_measures,
)

__all__ = [
    "Figure",
    "OutlierMeasure",
    "StatisticsCheck",
    "load_checks",
    "load_figures",
    "load_outlier_measures",
]

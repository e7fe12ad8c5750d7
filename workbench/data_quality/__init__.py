"""The monthly report on data quality: the grid of states first, then departments, failed checks, feed by feed.

Belongs here: which counts of the published results the report prints. Does not belong here: judging data
(``expectations``), grading a feed (``dbt_project/models/quality``), how a report is written (``workbench.report``).
"""

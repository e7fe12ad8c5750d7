"""The monthly bulletin for leaders: what the month was, in two pages, and the tables behind it.

Belongs here: which figures the bulletin has, its sentences, tables and plots. Does not belong here: counting
(``dbt_project/models/statistics``), how a report is written (``workbench.report``).
"""

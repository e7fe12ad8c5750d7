"""Reports that leaders and auditors read: one model of figures, written as page, PDF, workbook and data.

Belongs here: what a figure is and how it is shown, small counts hidden, sentences, tables, plots, the four forms of a
document. Does not belong here: which figures a report has (``workbench.bulletin``, ``workbench.quality_document``) and
counting (dbt).
"""

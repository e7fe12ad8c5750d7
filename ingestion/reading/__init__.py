"""A file's bytes to raw cells, whatever its format.

Belongs here: copies of files, encodings, delimited text, JSON Lines, workbooks and their limits. Does not belong
here: what cells mean (``ingestion.parse``), what becomes of rows (``ingestion.rows``).
"""

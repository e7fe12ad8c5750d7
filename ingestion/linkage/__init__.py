"""Rows to persons: which person a row without a usable ID number is about, and persons who turn out to be one.

Belongs here: the passes (declared in ``models/linkage.yaml``), proposals and their review, merges and splits, the
evidence that is published of it. The only place outside of vault and quarantine that handles ID numbers and names.
Does not belong here: what a household is, or any decision that a person has to take.
"""

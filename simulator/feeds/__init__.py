"""What each department sees of the city: one frame a feed and month, in the columns of its contract.

Belongs here: the view of a department. Does not belong here: file formats (``delivery``) and faults (``defects``).
"""

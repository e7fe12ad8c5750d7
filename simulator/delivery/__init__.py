"""How the city's frames become files in an inbox: formats, headers, sidecars, incidents, and what is expected of them.

Belongs here: files and their truth. Does not belong here: what the rows say (``simulator.feeds``).
"""

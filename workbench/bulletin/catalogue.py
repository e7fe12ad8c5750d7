"""Which figures stand where in the bulletin.

Belongs here: names of figures by table and plot, one list each. What they count is ``models/statistics/figures.yaml``.
"""

from __future__ import annotations

# Columns of the table of layers; sums run over the layers of the register.
BY_LAYER = (
    "register_households",
    "register_persons",
    "persons_new",
    "persons_left",
    "persons_changed_in",
    "persons_changed_out",
    "register_amount",
)
# Rows of the table of alerts, columns are the two sides.
BY_SIDE = (
    "alerts_listed",
    "alerts_new",
    "funnel_assigned",
    "funnel_visited",
    "funnel_confirmed",
    "funnel_enrolled",
    "funnel_aided",
    "funnel_referred",
    "funnel_stopped",
    "alerts_answered",
    "alerts_answered_in_time",
    "alerts_overdue",
)
SIDES = ("need", "exit")
# Columns of the table of counties and townships.
BY_AREA = (
    "register_households",
    "register_persons",
    "register_share",
    "persons_new",
    "persons_left",
    "payment_persons_any",
    "payment_amount",
    "alerts_listed",
    "alerts_new",
    "alerts_answered",
    "alerts_overdue",
    "overdue_rate",
    "elder_visit_rate",
)
# Tables of the city by part: benefits, levels, reasons, outcomes of visits.
BY_PART = (
    ("payment_persons", "payment_amount"),
    ("alerts_by_level",),
    ("alerts_by_indicator",),
    ("visits",),
)
# What rates of the area table rest on: not printed there, but the reader may have it.
BASES = ("resident_persons", "elders_to_visit", "elder_visits_done")
# Lines over the last months.
REGISTER_LINES = ("register_persons", "payment_persons_any")
ALERT_LINES = ("alerts_listed", "alerts_overdue", "alerts_answered")
FUNNEL = (
    "funnel_listed",
    "funnel_assigned",
    "funnel_visited",
    "funnel_confirmed",
    "funnel_enrolled",
    "funnel_aided",
    "funnel_referred",
)
MAPS = ("alerts_listed", "register_share")
# What a leader looks at first: hidden beside a small number only where nothing else is left.
HEADLINES = (
    "register_persons",
    "register_households",
    "payment_amount",
    "payment_persons_any",
    "alerts_listed",
    "alerts_overdue",
    "alerts_answered",
)
STOCKS = {"register_persons": "persons", "register_households": "households"}


def is_printed(figure: str, level: str, layer: str, part: str, back: int) -> bool:
    """Whether the bulletin may print the figure there; ``back`` months before its own."""
    if layer != "all" and part != "all":
        return False
    if level != "city":
        return figure in {*BY_AREA, *BASES} and layer == part == "all" and back == 0
    if layer != "all":
        return figure in BY_LAYER and back == 0
    if part != "all":
        split = {name for names in BY_PART for name in names} | {*BY_SIDE, *FUNNEL}
        return figure in split and back == 0
    return back < 2 or figure in {*REGISTER_LINES, *ALERT_LINES}

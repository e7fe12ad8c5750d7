"""Where the results for people lie in the data home, one folder a month, and on which day they are handed out.

Belongs here: names of folders and files, and that day. What is in them is written by ``workbench``.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from pathlib import Path

from models.calendar import next_month
from models.codes import city_code
from models.policy import parameter_value
from orchestration.home.settings import DataHome
from orchestration.trail.audit import record_access, user_of_the_system
from orchestration.trail.manifest import fingerprint

LISTS, SUMMARY, STATISTICS, REPORTS = "lists", "summary", "statistics", "reports"
# Below the lists of alerts: all of it is personal data.
ELDERS, CHILDREN, PRICE_SUBSIDY = f"{LISTS}/elders", f"{LISTS}/children", f"{LISTS}/price_subsidy"
RECOVERY = f"{LISTS}/recovery"
TITLES = {
    LISTS: "alert lists, one workbook a township (personal data)",
    ELDERS: "old people to visit, one workbook a township (personal data)",
    CHILDREN: "children to visit, one workbook a township (personal data)",
    PRICE_SUBSIDY: "payees of the price subsidy (personal data)",
    RECOVERY: "money to recover, one workbook a township that has any (personal data)",
    SUMMARY: "city summary",
    STATISTICS: "statistics, for the office and for the public",
    REPORTS: "bulletin for leaders and report on data quality",
}


def month_folder(home: DataHome, month: date) -> Path:
    """Everything that was handed out for a month."""
    return home.outputs / f"{month:%Y-%m}"


def listed_on(month: date) -> date:
    """The day on which a month's lists and reports are handed out, in the month after."""
    day = parameter_value("list_day", city_code()[:6], month)
    return next_month(month) + timedelta(days=int(day) - 1)


def record_lists(home: DataHome, what: str, month: date, written: Iterable[Path], count: int) -> None:
    """Note in the audit log which identified lists were written for a month, how many rows, with their SHA-256."""
    files = {path.relative_to(home.root).as_posix(): fingerprint(path) for path in written}
    if files:
        reason = f"lists of {month:%Y-%m} for their readers"
        record_access(
            home,
            "list",
            what,
            who=user_of_the_system(),
            month=f"{month:%Y-%m}",
            count=count,
            reason=reason,
            files=files,
        )


def output_places(home: DataHome) -> list[dict[str, object]]:
    """What lies where for the newest month that has been written, and the older months together."""
    months = sorted(path for path in home.outputs.glob("????-??") if path.is_dir())
    if not months:
        return []
    rows: list[dict[str, object]] = []
    for kind, title in TITLES.items():
        files = [path for path in (months[-1] / kind).glob("*") if path.is_file()]
        if files:
            place = months[-1] / kind if len(files) > 2 else " · ".join(str(path) for path in sorted(files))
            rows.append({"what": title, "where": str(place), "count": len(files)})
    if len(months) > 1:
        rows.append({"what": f"the {len(months) - 1} months before", "where": str(home.outputs), "count": None})
    return rows

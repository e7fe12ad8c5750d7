"""From typed frames to the texts that stand in the cells of a file.

Belongs here: how a value is written in a style. Does not belong here: the file around the cells (``writing``).
"""

from __future__ import annotations

import polars as pl

from models.codes import load_code_tables
from models.contract import Column, Feed
from simulator.delivery.style import Style

NUMERIC = ("money", "wan", "int", "decimal")


def to_text(frame: pl.DataFrame, feed: Feed, style: Style) -> pl.DataFrame:
    """All columns of the style as text, by English name; null stays null."""
    columns = {name: _text_of(frame[name], feed.column(name), style) for name in style.order}
    return pl.DataFrame(columns)


def _text_of(series: pl.Series, column: Column, style: Style) -> pl.Series:
    if column.type == "date" and series.dtype == pl.Date:
        # Serial numbers are written as real date cells later; until then they stand as ISO dates.
        return series.dt.strftime("%Y-%m-%d" if style.date_style == "serial" else style.date_style)
    if column.code_table and column.name in style.labelled:
        labels = {code: label.zh for code, label in load_code_tables()[column.code_table].labels.items()}
        return series.cast(pl.String).replace(labels)
    return series.cast(pl.String)


def header_of(style: Style, name: str) -> str:
    return style.headers[name]


def control_totals(text: pl.DataFrame, feed: Feed) -> dict[str, float]:
    """Sum of each money column over all rows whose cell can be read."""
    totals = {}
    for column in feed.columns:
        if column.type == "money" and column.name in text.columns:
            totals[column.name] = round(float(readable(text[column.name]).sum()), 2)
    return totals


def readable(series: pl.Series) -> pl.Series:
    """The money in text cells, whatever harmless way it is written; null where it cannot be read."""
    half = series.str.normalize("NFKC").str.replace_all("[,¥\\s\u200b元']", "")
    wan = half.str.ends_with("万")
    number = half.str.strip_suffix("万").cast(pl.Float64, strict=False)
    return pl.select(pl.when(pl.lit(wan)).then(pl.lit(number) * 10_000).otherwise(pl.lit(number))).to_series()

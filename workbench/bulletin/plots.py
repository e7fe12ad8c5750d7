"""The drawings of the bulletin: lines over the last months, the funnel, maps of tiles.

Belongs here: which figures are drawn. Does not belong here: drawing (``workbench.report.plots``).
"""

from __future__ import annotations

from models.labels import label
from models.statistics import load_figures
from workbench.bulletin import catalogue
from workbench.bulletin.figures import BulletinFigures
from workbench.bulletin.tables import bar_table, history_table, month_label
from workbench.bulletin.words import Words
from workbench.report.document import Column, Plot, Row, Table
from workbench.report.plots import Series, Tile, bars, lines, tile_map
from workbench.statistics_blocks import title_of


def history_plot(figures: BulletinFigures, names: tuple[str, ...], key: str, words: Words) -> Plot:
    """Lines over the months that are known, up to 13."""
    backs = list(range(len(figures.months)))[::-1]
    series = [
        Series(title_of(load_figures()[name], words.lang), tuple(figures(name, back=back) for back in backs))
        for name in names
    ]
    return Plot(
        key=key,
        title=label(f"bulletin.plot.{key}", words.lang),
        svg=lines(series, [month_label(month) for month in figures.months], words.lang),
        summary=label(f"bulletin.plot.{key}_summary", words.lang),
        table=history_table(figures, names, key, words),
        figures=tuple(one.figures[-1] for one in series),
    )


def funnel_plot(figures: BulletinFigures, words: Words) -> Plot:
    """Need alerts that stand, from the list to aid."""
    rows = [(title_of(load_figures()[name], words.lang), figures(name, part="need")) for name in catalogue.FUNNEL]
    title = label("bulletin.plot.funnel", words.lang)
    return Plot(
        key="funnel",
        title=title,
        svg=bars(rows, words.lang),
        summary=label("bulletin.plot.funnel_summary", words.lang),
        table=bar_table(rows, "funnel", title, words),
        figures=tuple(figure for _, figure in rows),
    )


def map_plot(figures: BulletinFigures, name: str, words: Words) -> Plot:
    """A tile for each township, in blocks of their counties."""
    groups = [
        (
            county.short,
            [Tile(place.short, figures(name, "township", place.key)) for place in words.townships_of(county)],
        )
        for county in words.counties
    ]
    figure_title = title_of(load_figures()[name], words.lang)
    title = label("bulletin.plot.map", words.lang, title=figure_title)
    rows = [Row((place.name, figures(name, "township", place.key))) for place in words.townships]
    columns = (Column(words.column("area"), "text", 22), Column(figure_title, "number"))
    return Plot(
        key=f"map_{name}",
        title=title,
        svg=tile_map(groups, words.lang, label("bulletin.plot.hidden", words.lang)),
        summary=label("bulletin.plot.map_summary", words.lang),
        table=Table(f"map_{name}", title, columns, tuple(rows)),
        figures=tuple(tile.figure for _, tiles in groups for tile in tiles),
    )

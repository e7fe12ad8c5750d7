"""The card of a registered model as a document: for page and PDF, in both languages, from its figures alone.

Belongs here: which part says what. Does not belong here: measuring (``ml``), words (``models/labels/model_card.yaml``,
``ml.yaml``), and how a document is drawn (``workbench.report``).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from models.codes import load_divisions
from models.contract import load_feeds
from models.labels import label
from workbench.model_card_plots import diagonal
from workbench.report.document import (
    Block,
    Card,
    Column,
    Document,
    Part,
    Piece,
    Plot,
    Row,
    Sentence,
    Sentences,
    Table,
    Terms,
)
from workbench.report.figure import UNKNOWN, Figure
from workbench.report.frame import frame_words, month_name
from workbench.report.plots import bars

KEY = "model_card."
Stated = Mapping[str, Any]

# What is told of the order of households, in a table of its own.
ORDER_METRICS = ("recall_top_1", "recall_top_5", "ndcg_at_capacity", "recall_ties_worst", "recall_ties_best")


def model_card(stated: Stated, manifest: Stated, lang: str) -> Document:
    """The card; `stated` is metrics.json of a version, `manifest` its manifest.json."""
    month = date.fromisoformat(stated["as_of_month"])
    kind = label(f"ml.kind.{stated['kind']}", lang)
    parts = [
        _use(lang),
        _data(stated, lang),
        *([_metrics(stated, lang), _groups(stated, lang)] if "metrics" in stated else []),
        _exploration(stated, lang),
        _drift(stated, lang),
        _limits(stated, manifest, lang),
    ]
    return Document(
        name="model_card",
        month=month,
        lang=lang,
        title=label("ml.card.title", lang, version=stated["model_version"]),
        subtitle=label(KEY + "subtitle", lang, month=month_name(month, lang), kind=kind),
        verdict=Sentence((Piece(label("ml.card.purpose", lang) + " " + label("ml.card.forbidden", lang)),)),
        cards=tuple(_cards(stated, lang)),
        parts=tuple(parts),
        footer=label(KEY + "footer", lang, version=stated["model_version"]),
        made_on=month,
        words=frame_words(lang),
    )


def _cards(stated: Stated, lang: str) -> list[Card]:
    figures = stated.get("metrics", {}).get(stated["kind"], {})
    found = []
    for name in ("recall_at_capacity", "precision_at_capacity", "lift_at_capacity"):
        if (value := figures.get(name, {}).get("value")) is not None:
            beside = Sentence((Piece(_interval(figures[name], _style(name))),))
            figure = _figure(name, value, "per_thousand" if name.startswith("lift") else "ratio")
            found.append(Card(label(f"ml.metric.{name}", lang), figure, beside))
    return found


def _use(lang: str) -> Part:
    terms = tuple(
        (label(f"{KEY}forbidden_{what}", lang), label(f"{KEY}forbidden_{what}_why", lang))
        for what in ("aid", "people", "sum")
    )
    purpose = Sentences((_said(label("ml.card.purpose", lang)),))
    return Part("use", label(KEY + "use_heading", lang), (purpose, Terms(terms)))


def _data(stated: Stated, lang: str) -> Part:
    data = stated["data"]
    places = {
        "first": (data["first_month"] or "-")[:7],
        "last": data["as_of_month"][:7],
        "months": data["history_months"],
        "households": data["households"],
        "rows": data["household_months"],
        "positives": data["positive_households"],
        "rate": f"{data['base_rate']:.2%}",
    }
    marked = {"horizon": data["horizon_months"], "embargo": data["embargo_months"], "entries": data["delay_entries"]}
    said = [_said(label("ml.card.data", lang, **places)), _said(label("ml.card.label", lang, **marked))]
    warnings = [_said(_message(one, lang), "caution") for one in stated["warnings"]]
    return Part("data", label(KEY + "data_heading", lang), (Sentences((*said, *warnings)),))


def _metrics(stated: Stated, lang: str) -> Part:
    names = list(stated["metrics"][stated["kind"]])
    why = label(
        "ml.card.chosen", lang, kind=label(f"ml.kind.{stated['kind']}", lang), message=_message(stated["message"], lang)
    )
    audit = stated.get("audit", {})
    blocks: list[Block] = [
        Sentences((_said(why), _said(_judged(stated, lang)))),
        _metrics_table("metrics", [name for name in names if name not in ORDER_METRICS], stated, lang),
    ]
    if told := [name for name in names if name in ORDER_METRICS]:
        blocks.append(_metrics_table("ranking", told, stated, lang))
    if (share := stated.get("overlap", {}).get("share")) is not None:
        blocks.append(Sentences((_said(label("ml.card.overlap", lang, share=f"{share:.0%}")),)))
    if bins := audit.get("reliability"):
        blocks.append(_reliability(bins, lang))
    if curve := audit.get("gain"):
        blocks.append(_gain(curve, stated, lang))
    if stated.get("reasons"):
        blocks.append(_reasons(stated["reasons"], lang))
    return Part("metrics", label(KEY + "metrics_heading", lang), tuple(blocks))


def _metrics_table(name: str, names: list[str], stated: Stated, lang: str) -> Table:
    """Figures of each candidate and of a random list, one row a candidate."""
    columns = (
        Column(label("ml.card.candidate", lang), width=24),
        *(Column(label(f"ml.metric.{metric}", lang), "number", 22) for metric in names),
    )
    rows = tuple(
        Row(
            (
                _kind(kind, lang, chosen=kind == stated["kind"]),
                *(_interval(stated["metrics"][kind].get(one), _style(one), with_value=True) for one in names),
            )
        )
        for kind in [*stated["candidates"], "random"]
    )
    return Table(name, label(f"{KEY}{name}_table", lang), columns, rows)


def _kind(kind: str, lang: str, *, chosen: bool = False) -> str:
    name = label(f"ml.kind.{kind}", lang)
    return f"{name} ({label(KEY + 'in_force', lang)})" if chosen else name


def _judged(stated: Stated, lang: str) -> str:
    validation = stated["validation"]
    return label(
        "ml.card.judged",
        lang,
        origins=len(validation["origins"]),
        rows=validation["labelled_rows"],
        entries=validation["entries"],
        share=f"{stated['capacity_share']:.0%}",
    )


def _reliability(bins: list[dict[str, float]], lang: str) -> Plot:
    points = [(one["told"], one["came"]) for one in bins]
    words = [label(KEY + name, lang) for name in ("told", "came", "rows")]
    rows = tuple(
        Row((_percent(one["told"]), _percent(one["came"]), _figure(f"reliability-{at}-rows", one["rows"], "row")))
        for at, one in enumerate(bins)
    )
    columns = tuple(Column(word, "number") for word in words)
    title = label(KEY + "reliability_title", lang)
    svg = diagonal(points, words[0], words[1], joined=False)
    return Plot(
        "reliability", title, svg, label(KEY + "reliability_summary", lang), Table("reliability", title, columns, rows)
    )


def _gain(curve: list[dict[str, float]], stated: Stated, lang: str) -> Plot:
    words = [label(KEY + name, lang) for name in ("share", "found")]
    points = [(0.0, 0.0), *((one["share"], one["found"]) for one in curve)]
    rows = tuple(Row((_percent(one["share"]), _percent(one["found"]))) for one in curve)
    title = label(KEY + "gain_title", lang)
    recall = stated["metrics"][stated["kind"]]["recall_at_capacity"]
    capacity = label(KEY + "gain_capacity", lang, recall=_interval(recall, "percent", with_value=True))
    table = Table("gain", title, tuple(Column(word, "number") for word in words), rows)
    summary = label(KEY + "gain_summary", lang) + (" " if lang == "en" else "") + capacity
    return Plot("gain", title, diagonal(points, *words), summary, table)


def _reasons(weights: Mapping[str, float], lang: str) -> Plot:
    ordered = sorted(weights.items(), key=lambda pair: (-pair[1], pair[0]))
    drawn = [
        (label(f"ml.reason.{code}", lang), _figure(f"reason-{code}", weight * 1000, "thousandth"))
        for code, weight in ordered
    ]
    columns = (
        Column(label("ml.card.reason", lang), width=30),
        Column(label("ml.card.weight", lang) + " × 1000", "number"),
    )
    title = label(KEY + "reasons_title", lang) + " × 1000"
    table = Table("reasons", title, columns, tuple(Row(pair) for pair in drawn))
    figures = tuple(figure for _, figure in drawn)
    return Plot("reasons", title, bars(drawn, lang), label(KEY + "reasons_summary", lang), table, figures)


def _groups(stated: Stated, lang: str) -> Part:
    audit = stated.get("audit", {})
    names = ("households", "recall", "precision", "calibration")
    columns = (
        Column(label(KEY + "group", lang), width=26),
        *(Column(label(KEY + name, lang), "number", 20) for name in names),
    )
    rows = tuple(_group_row(one, lang) for one in audit.get("groups", []))
    title = label(KEY + "groups_heading", lang)
    table = Table("groups", title, columns, rows, label(KEY + "groups_note", lang), label(KEY + "no_groups", lang))
    said = [_said(_unequal(group, low, high, lang), "caution") for group, low, high in audit.get("unequal_recall", [])]
    said += [
        _said(
            label(
                KEY + "lost",
                lang,
                group=_group(one["group"], lang),
                value=_value(one["group"], one["value"], lang),
                ratio=_percent(one["ratio"]),
            ),
            "bad",
        )
        for one in audit.get("lost_labels", [])
    ]
    return Part("groups", title, (*([Sentences(tuple(said))] if said else []), table))


def _unequal(group: str, low: str, high: str, lang: str) -> str:
    low, high = _value(group, low, lang), _value(group, high, lang)
    return label(KEY + "unequal", lang, group=_group(group, lang), low=low, high=high)


def _group_row(one: Stated, lang: str) -> Row:
    name = f"{_group(one['group'], lang)}: {_value(one['group'], one['value'], lang)}"
    small = label(KEY + "too_small", lang)
    if one["is_small"]:
        return Row((name, small, UNKNOWN, UNKNOWN, UNKNOWN))
    count = _figure(f"households-{one['group']}-{one['value']}", one["households"], "household")
    if one["has_few_entries"]:
        return Row((name, count, small, small, small))
    recall, precision = (_interval(one[key], "percent", with_value=True) for key in ("recall", "precision"))
    return Row((name, count, recall, precision, _interval(one["calibration"], "plain", with_value=True)))


def _group(name: str, lang: str) -> str:
    return label(f"{KEY}group_name.{name}", lang)


def _value(group: str, value: str, lang: str) -> str:
    if group == "township_code":
        return next((one.name for one in load_divisions() if one.short_code == value), value)
    if group == "head_age" and value != "unknown":
        return value
    return label(f"{KEY}value.{f'sex_{value}' if group == 'head_sex' and value != 'unknown' else value}", lang)


def _exploration(stated: Stated, lang: str) -> Part:
    told = stated.get("exploration", {"visits": {"ranked": 0, "random": 0}})
    blocks: list[Block] = [Sentences((_said(label(KEY + "explore_note", lang)),))]
    columns = (
        Column("", width=30),
        Column(label(KEY + "visits", lang), "number"),
        Column(label("ml.metric.precision_at_capacity", lang), "number", 24),
    )
    rows = tuple(
        Row(
            (
                label(f"{KEY}arm_{arm}", lang),
                _figure(f"visits-{arm}", told["visits"][arm], "visit"),
                _interval(told.get(f"{arm}_precision"), "percent", with_value=True),
            )
        )
        for arm in ("ranked", "random")
        if told["visits"][arm]
    )
    title = label(KEY + "explore_heading", lang)
    blocks.append(Table("exploration", title, columns, rows, empty=label(KEY + "no_arm", lang)))
    if told.get("needed", {}).get("value") is not None:
        items = (
            (label(KEY + "needed", lang), _interval(told["needed"], "whole", with_value=True)),
            (label(KEY + "ips_recall", lang), _interval(told["recall"], "percent", with_value=True)),
        )
        blocks.append(Terms(items))
    return Part("exploration", title, tuple(blocks))


def _drift(stated: Stated, lang: str) -> Part:
    drift = stated.get("drift", {})
    heading = label(KEY + "drift_heading", lang)
    feeds = sorted(drift.get("feeds", {}).items(), key=lambda pair: (-pair[1], pair[0]))
    if not feeds:
        return Part("drift", heading, (Sentences((_said(label(KEY + "no_history", lang)),)),))
    drawn = [(_feed(feed, lang), _figure(f"drift-{feed}", share, "ratio")) for feed, share in feeds]
    title = label(KEY + "drift_title", lang)
    columns = (Column(label(KEY + "feed", lang), width=30), Column(label(KEY + "drift_share", lang), "number"))
    table = Table("drift", title, columns, tuple(Row(pair) for pair in drawn))
    summary = label(KEY + "drift_summary", lang)
    plot = Plot("drift", title, bars(drawn, lang), summary, table, tuple(figure for _, figure in drawn))
    names = ("kind", "feed", "column")
    found = Table(
        "findings",
        label(KEY + "findings_title", lang),
        tuple(Column(label(KEY + name, lang), width=24) for name in names),
        tuple(
            Row(
                (label(f"{KEY}finding.{one['kind']}", lang), _feed(one["feed"], lang), one["column"] or UNKNOWN),
                tone="bad",
            )
            for one in drift["findings"]
        ),
        empty=label(KEY + "no_findings", lang),
    )
    return Part("drift", heading, (found, plot))


def _finding(kind: str, lang: str) -> str:
    return label(f"{KEY}finding.{kind}", lang)


def _feed(feed: str, lang: str) -> str:
    if not feed:
        return UNKNOWN
    contract = load_feeds()[feed]
    return contract.title_zh if lang == "zh" else contract.title_en


def _limits(stated: Stated, manifest: Stated, lang: str) -> Part:
    versions = {name: (text or UNKNOWN)[:16] for name, text in manifest.get("versions", {}).items()}
    places = {name: versions.get(name, UNKNOWN) for name in ("data", "policy", "code")}
    packages = ", ".join(f"{name} {version}" for name, version in sorted(manifest.get("packages", {}).items()))
    made = [
        label(KEY + "versions", lang, experiment=stated["experiment_hash"], **places),
        label(KEY + "packages", lang, packages=packages),
    ]
    blocks = (
        Sentences((_said(label("ml.card.limits", lang, protected=", ".join(stated["protected"]))),)),
        Sentences((_said(label(KEY + "contact", lang)),), label(KEY + "contact_heading", lang)),
        Sentences(tuple(_said(one) for one in made), label(KEY + "made_heading", lang)),
    )
    return Part("limits", label(KEY + "limits_heading", lang), blocks)


def _message(message: Stated, lang: str) -> str:
    return label(f"ml.message.{message['key']}", lang, **message["places"])


def _said(text: str, tone: Any = "") -> Sentence:
    return Sentence((Piece(text),), tone)


def _figure(name: str, value: float, unit: str) -> Figure:
    return Figure(f"model-{name}", Decimal(repr(float(value))), unit)


def _style(metric: str) -> str:
    return "percent" if metric.startswith(("recall", "precision")) else "plain"


def _interval(estimate: Mapping[str, float | None] | None, style: str, *, with_value: bool = False) -> str:
    """`0.31 [0.20, 0.42]` in the style of the metric; a dash where it could not be measured."""
    if estimate is None or estimate["value"] is None:
        return UNKNOWN
    said = _in_style(estimate["value"], style) if with_value else ""
    low, high = estimate["low"], estimate["high"]
    if low is None or high is None:
        return said
    return f"{said} [{_in_style(low, style)}, {_in_style(high, style)}]".strip()


def _in_style(value: float, style: str) -> str:
    if style == "percent":
        return _percent(value)
    if style == "whole":
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 1.95 else f"{value:.4f}" if value < 0.1 else f"{value:.2f}"


def _percent(value: float) -> str:
    return f"{value:.1%}" if value >= 0.01 or not value else f"{value:.2%}"

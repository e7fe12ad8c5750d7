"""The main points of the month as sentences, each number a figure.

Belongs here: which sentence is right for which numbers. Does not belong here: the words
(``models/labels/bulletin.yaml``).
Nothing is said of what is not known, and what is hidden is not told by a difference.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from models.labels import label
from workbench.bulletin.figures import BulletinFigures
from workbench.bulletin.quality import DataQuality
from workbench.bulletin.words import Words
from workbench.report.compose import compose, joined
from workbench.report.document import Piece, Sentence, Sentences, Tone
from workbench.report.figure import Figure, difference, magnitude
from workbench.statistics_blocks import LAYERS

# Of the townships with most overdue alerts so many are named, and so many of those beyond the limits.
NAMED_TOWNSHIPS, NAMED_OUTLIERS = 3, 5


def verdict(figures: BulletinFigures, words: Words) -> Sentence:
    """The one sentence for which a leader opens the bulletin."""
    overdue = figures("alerts_overdue")
    tone: Tone = "bad" if overdue.value else "good"
    return compose(
        "bulletin.verdict",
        words.lang,
        tone,
        month=words.month,
        persons=figures("register_persons"),
        listed=figures("alerts_listed"),
        overdue=overdue,
    )


def main_points(figures: BulletinFigures, quality: DataQuality, words: Words) -> list[Sentences]:
    """The main points in groups: register, payments, alerts, old people and children, data."""
    told = {
        "register": _register(figures, words),
        "payment": _payment(figures, words),
        "alerts": _alerts(figures, quality, words),
        "care": _care(figures, words),
        "quality": quality.sentences(words),
    }
    groups = [(name, tuple(sentences)) for name, sentences in told.items()]
    return [
        Sentences(sentences, label(f"bulletin.group.{name}", words.lang)) for name, sentences in groups if sentences
    ]


def _register(figures: BulletinFigures, words: Words) -> Iterator[Sentence]:
    lang, persons = words.lang, figures("register_persons")
    if persons.value is None:
        yield compose("bulletin.register.unknown", lang, "bad")
        return
    amount, share = figures("register_amount"), figures("register_share")
    stock = compose(
        f"bulletin.register.{'stock' if amount.is_known and share.is_known else 'stock_plain'}",
        lang,
        persons=persons,
        households=figures("register_households"),
        share=share,
        amount=amount,
    )
    change = compared("bulletin.register", persons, figures("register_persons", back=1), lang)
    yield joined([stock, *change], lang)
    layers = [(label(f"layer.{layer}", lang), figures("register_persons", layer=layer)) for layer in LAYERS]
    shown = [(name, figure) for name, figure in layers if figure.value]
    if shown:
        yield listed("bulletin.register.layers", shown, "person", lang)
    new, left = figures("persons_new"), figures("persons_left")
    if new.value is not None and left.value is not None:
        yield compose("bulletin.register.flows", lang, new=new, left=left)
    if not persons.is_complete:
        yield compose("bulletin.register.stale", lang, "caution")


def _payment(figures: BulletinFigures, words: Words) -> Iterator[Sentence]:
    lang, amount = words.lang, figures("payment_amount")
    if amount.value is None:
        yield compose("bulletin.payment.missing", lang, "bad")
        return
    persons, households = figures("payment_persons_any"), figures("payment_households_any")
    key = "bulletin.payment.amount" if amount.is_known else "bulletin.payment.persons"
    paid = compose(key, lang, amount=amount, persons=persons, households=households)
    yield joined([paid, *compared("bulletin.payment", amount, figures("payment_amount", back=1), lang)], lang)
    returned, grants = figures("payment_returned"), figures("assistance_grants")
    if returned.is_known and returned.value:
        yield compose("bulletin.payment.returned", lang, "caution", amount=returned)
    if grants.value:
        granted = figures("assistance_amount")
        key = "bulletin.payment.grants" if granted.is_known else "bulletin.payment.grants_plain"
        yield compose(key, lang, grants=grants, amount=granted)


def _alerts(figures: BulletinFigures, quality: DataQuality, words: Words) -> Iterator[Sentence]:
    lang, listed_now = words.lang, figures("alerts_listed")
    levels = [(label(f"level.{level}", lang), figures("alerts_by_level", part=level)) for level in words.levels]
    shown = [(name, figure) for name, figure in levels if figure.value]
    if listed_now.value and shown:
        standing = figures("alerts_standing")
        key = "listed" if standing.value == listed_now.value else "listed_of_all"
        yield listed(
            f"bulletin.alerts.{key}", shown, "item", lang, name="levels", listed=listed_now, new=figures("alerts_new")
        )
    put_off = figures("alerts_put_off")
    if put_off.value:
        yield compose("bulletin.alerts.put_off", lang, put_off=put_off)
    yield _answered(figures, lang)
    if figures("funnel_listed").value:
        stages = ("visited", "confirmed", "enrolled", "aided", "referred")
        yield compose("bulletin.alerts.funnel", lang, **{stage: figures(f"funnel_{stage}") for stage in stages})
    yield _overdue(figures, words)
    due, late = figures("reviews_due"), figures("reviews_overdue")
    if due.value and late.value is not None:
        yield compose("bulletin.alerts.reviews", lang, "caution" if late.value else "", due=due, overdue=late)
    yield from _outliers(quality, words)


def _answered(figures: BulletinFigures, lang: str) -> Sentence:
    answered, share = figures("alerts_answered"), figures("in_time_rate")
    if not answered.value:
        return compose("bulletin.alerts.answered_none", lang)
    if not share.is_known:
        return compose("bulletin.alerts.answered_some", lang, answered=answered)
    return compose("bulletin.alerts.answered", lang, answered=answered, share=share)


def _overdue(figures: BulletinFigures, words: Words) -> Sentence:
    lang, overdue, share = words.lang, figures("alerts_overdue"), figures("overdue_rate")
    if not overdue.value:
        return compose("bulletin.alerts.overdue_none", lang, "good")
    if not share.is_known:
        return compose("bulletin.alerts.overdue_some", lang, "bad", overdue=overdue)
    known = [(place, figures("alerts_overdue", "township", place.key)) for place in words.townships]
    most = sorted(
        ((place.name, figure) for place, figure in known if figure.is_known and figure.value),
        key=lambda item: -(item[1].value or Decimal(0)),
    )[:NAMED_TOWNSHIPS]
    if not most:
        return compose("bulletin.alerts.overdue_plain", lang, "bad", overdue=overdue, share=share)
    places = {"overdue": overdue, "share": share}
    return listed("bulletin.alerts.overdue", most, "", lang, "bad", name="places", **places)


def _outliers(quality: DataQuality, words: Words) -> Iterator[Sentence]:
    lang, beyond = words.lang, quality.outliers(words)
    if not beyond:
        return
    told = [
        compose("bulletin.alerts.outlier_place", lang, place=place, measure=measure, direction=direction).text
        for place, measure, direction in beyond[:NAMED_OUTLIERS]
    ]
    more = "…" if len(beyond) > NAMED_OUTLIERS else ""
    names = label("report.comma", lang).join(told) + more
    yield compose("bulletin.alerts.outliers", lang, "caution", count=quality.outlier_count(), places=names)


def _care(figures: BulletinFigures, words: Words) -> Iterator[Sentence]:
    lang, due = words.lang, figures("elders_to_visit")
    if due.value:
        told = [compose("bulletin.care.elders", lang, due=due, share=figures("elder_visit_rate"))]
        more = figures("elder_candidates")
        if more.value:
            told.append(compose("bulletin.care.candidates", lang, count=more))
        yield joined(told, lang)
    children = figures("children_of_concern")
    if children.value:
        yield compose("bulletin.care.children", lang, count=children)


def compared(key: str, now: Figure, before: Figure, lang: str) -> list[Sentence]:
    """The sentence that says how much more or less than before; none where that is not told."""
    change = difference(now, before)
    if not change.is_known or change.value is None:
        return []
    if change.value == 0:
        return [compose(f"{key}.same", lang)]
    return [compose(f"{key}.{'up' if change.value > 0 else 'down'}", lang, size=magnitude(change))]


def listed(
    key: str,
    items: list[tuple[str, Figure]],
    noun: str,
    lang: str,
    tone: Tone = "",
    name: str = "list",
    **places: Figure | str,
) -> Sentence:
    """A sentence with a list of names and numbers at the place ``name``."""
    mark = "\0"
    sentence = compose(key, lang, tone, **{name: mark}, **places)
    pieces: list[Piece] = []
    for piece in sentence.pieces:
        if piece.text != mark:
            pieces.append(piece)
            continue
        for at, (word, figure) in enumerate(items):
            before = label("report.comma", lang) if at else ""
            # Within an English sentence a name is small, and the noun was said before.
            named = word if lang == "zh" else f"{word[:1].lower()}{word[1:]} "
            number = figure.phrase(noun if lang == "zh" and noun else "bare", lang)
            pieces += [Piece(before + named), Piece(number, figure)]
    return Sentence(tuple(pieces), sentence.tone)

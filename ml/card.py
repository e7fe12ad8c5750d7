"""The card of a model, written from its metrics alone: what it is for, how it was judged, what it must not do."""

from collections.abc import Iterator
from typing import Any

from models.labels import label

KEY = "ml.card."


def card_text(stated: dict[str, Any], lang: str) -> str:
    """The Markdown card of a registered version, `lang` zh or en; `stated` is its metrics.json."""
    return "\n".join(_lines(stated, lang)) + "\n"


def _lines(stated: dict[str, Any], lang: str) -> Iterator[str]:
    def say(key: str, **places: object) -> str:
        return label(KEY + key, lang, **places)

    yield f"# {say('title', version=stated['model_version'])}"
    yield from ("", f"## {say('purpose_heading')}", "", say("purpose"), "", f"**{say('forbidden')}**")
    yield from ("", f"## {say('answer_heading')}", "", _answer(stated, lang))
    yield from ("", f"## {say('data_heading')}", "", *_data(stated, lang))
    if "metrics" in stated:
        yield from ("", f"## {say('judged_heading')}", "", *_judged(stated, lang))
        yield from ("", f"## {say('reasons_heading')}", "", *_reasons(stated, lang))
    yield from ("", f"## {say('limits_heading')}", "", say("limits", protected=", ".join(stated["protected"])))
    if stated["warnings"]:
        yield from (
            "",
            f"## {say('warnings_heading')}",
            "",
            *(f"- {message_text(one, lang)}" for one in stated["warnings"]),
        )
    identity = say(
        "identity",
        version=stated["model_version"],
        month=stated["as_of_month"][:7],
        hash=stated["experiment_hash"],
        features=stated["feature_count"],
    )
    yield from ("", f"## {say('identity_heading')}", "", identity)


def message_text(message: dict[str, Any], lang: str) -> str:
    """A message of the training (its key and places) in one language."""
    return label(f"ml.message.{message['key']}", lang, **message["places"])


def _answer(stated: dict[str, Any], lang: str) -> str:
    message = message_text(stated["message"], lang)
    if "metrics" not in stated:
        return label(KEY + "rules_alone", lang, message=message)
    return label(KEY + "chosen", lang, kind=label(f"ml.kind.{stated['kind']}", lang), message=message)


def _data(stated: dict[str, Any], lang: str) -> Iterator[str]:
    data = stated["data"]
    yield label(
        KEY + "data",
        lang,
        first=(data["first_month"] or "-")[:7],
        last=data["as_of_month"][:7],
        months=data["history_months"],
        households=data["households"],
        rows=data["household_months"],
        positives=data["positive_households"],
        rate=f"{data['base_rate']:.2%}",
    )
    yield ""
    yield label(
        KEY + "label",
        lang,
        horizon=data["horizon_months"],
        embargo=data["embargo_months"],
        entries=data["delay_entries"],
    )


def _judged(stated: dict[str, Any], lang: str) -> Iterator[str]:
    validation = stated["validation"]
    yield label(
        KEY + "judged",
        lang,
        origins=len(validation["origins"]),
        rows=validation["labelled_rows"],
        entries=validation["entries"],
        share=f"{stated['capacity_share']:.0%}",
    )
    names = list(stated["metrics"][stated["kind"]])
    yield ""
    yield _row([label(KEY + "candidate", lang), *(label(f"ml.metric.{name}", lang) for name in names)])
    yield _row(["---"] * (len(names) + 1))
    for kind in [*stated["candidates"], "random"]:
        figures = stated["metrics"][kind]
        yield _row([label(f"ml.kind.{kind}", lang), *(_figure(figures.get(name), lang) for name in names)])
    share = stated.get("overlap", {}).get("share")
    if share is not None:
        yield from ("", label(KEY + "overlap", lang, share=f"{share:.0%}"))


def _figure(figure: dict[str, float | None] | None, lang: str) -> str:
    if figure is None:
        return ""
    if figure["value"] is None:
        return label(KEY + "unmeasured", lang)
    interval = "" if figure["low"] is None else f" [{figure['low']:.3f}, {figure['high']:.3f}]"
    return f"{figure['value']:.3f}{interval}"


def _reasons(stated: dict[str, Any], lang: str) -> Iterator[str]:
    yield _row([label(KEY + "reason", lang), label(KEY + "weight", lang)])
    yield _row(["---", "---"])
    for code, weight in sorted(stated["reasons"].items(), key=lambda pair: -pair[1]):
        yield _row([label(f"ml.reason.{code}", lang), f"{weight:.3f}"])


def _row(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |"

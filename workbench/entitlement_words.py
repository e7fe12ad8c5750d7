"""What may be due to a household, and what is still to be found out, in a caseworker's words.

Belongs here: turning rows of ``alert_entitlement`` into short lines. Does not belong here: the texts
(``models/labels/entitlement.yaml``) and who may be entitled to what (``dbt_project/models/alerts``).
"""

from __future__ import annotations

from typing import Any

import polars as pl

from models.labels import label
from workbench.sentences import Shown

# A box to tick on paper.
BOX = "□"


def entitlement_lines(entitlements: pl.DataFrame, people: pl.DataFrame, lang: str) -> pl.DataFrame:
    """One row per alert: ``proposal`` (what, how much, why) , ``proposal_short`` (without why), ``verify``.

    ``entitlements`` are rows of ``alert_entitlement`` of one month; ``people`` has person_key and the name to be shown.
    """
    named = entitlements.join(people.select("person_key", "name"), on="person_key", how="left")
    rows = named.sort("alert_id", "sort_order", "person_key").to_dicts()
    told = pl.DataFrame(
        [
            {
                "alert_id": row["alert_id"],
                "long": _line(row, lang),
                "short": _head(row, lang),
                "verify": row["to_verify"],
            }
            for row in rows
        ],
        schema={"alert_id": pl.String, "long": pl.String, "short": pl.String, "verify": pl.List(pl.String)},
    )
    items = {code: f"{BOX}{label(f'verify.{code}', lang)}" for row in rows for code in row["to_verify"]}
    verify = (
        told.explode("verify")
        .with_columns(pl.col("verify").replace_strict(items, return_dtype=pl.String, default=None))
        .group_by("alert_id", maintain_order=True)
        .agg(verify=pl.col("verify").drop_nulls().unique(maintain_order=True).str.join("\n"))
    )
    return (
        told.group_by("alert_id", maintain_order=True)
        .agg(proposal=pl.col("long").str.join("\n"), proposal_short=pl.col("short").str.join("\n"))
        .join(verify, on="alert_id", how="left")
    )


def _head(row: dict[str, Any], lang: str) -> str:
    """What and for whom, and about how much a month."""
    text = label(f"assistance.{row['assistance']}", lang)
    if row["name"]:
        text += label("entitlement.who", lang, name=row["name"])
    if row["amount_yuan"]:
        text += label("entitlement.monthly", lang, amount=Shown.of(row["amount_yuan"], lang))
    return text


def _line(row: dict[str, Any], lang: str) -> str:
    joiner = "，" if lang == "zh" else ", "
    conditions = joiner.join(_condition(item, lang) for item in row["conditions"])
    return label("entitlement.line", lang, head=_head(row, lang), conditions=conditions)


def _condition(item: dict[str, Any], lang: str) -> str:
    shown = {name: Shown.of(item[name], lang) for name in ("value", "line") if item[name] is not None}
    return label(f"condition.{item['condition']}", lang, **shown)

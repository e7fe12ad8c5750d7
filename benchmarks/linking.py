"""Linking a million people whose ID numbers have defects: exact matching, the passes, Splink.

Belongs here: each way in a process of its own (CPU seconds, peak memory), scored pairwise against the truth. The
people come from ``linking_people``, which says what is in them. Splink is a development dependency and no part of
the product (docs/decisions/0022). Run: ``.venv/bin/python -m benchmarks.linking [--people N] [--seed S]``.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from datetime import date
from pathlib import Path

import polars as pl

from benchmarks.linking_people import make

AIM_F1, AIM_PRECISION, AIM_CPU = 0.998, 0.9999, 1 / 3
TODAY = date(2024, 1, 1)
REGISTERS = ("a", "b")


def exact(folder: Path) -> dict[str, float]:
    """Rows with the same valid number, 15 digits completed to 18."""
    return score(_with_numbers(folder).with_columns(entity=_entity(pl.col("id_number"))))


def passes(folder: Path) -> dict[str, float]:
    """Exact matching, and what the declared passes propose with certainty."""
    from ingestion.linkage.match import PROPOSED, link
    from models.linkage import load_linkage

    rows = _with_numbers(folder).with_row_index("row")
    claims, facts, known = _as_claims(rows)
    links = link(claims, facts, known, load_linkage())
    # What a proposal says is one row of one number: the first name for it is that of the register.
    certain = links.filter(pl.col("state") == PROPOSED).select(pl.col("claim").alias("row"), proposed="id_number")
    linked = rows.join(certain, on="row", how="left")
    entity = _entity(pl.coalesce("id_number", "proposed"))
    figures = score(linked.with_columns(entity=entity))
    return figures | _proposals(linked, links)


def splink(folder: Path) -> dict[str, float]:
    """Splink trained on the data, of its pairs the best of each row, at the threshold that is best for F1."""
    pairs, unlinked = _splink_pairs(folder)
    best = [
        pl.col("match_weight") == pl.col("match_weight").max().over(side) for side in ("unique_id_l", "unique_id_r")
    ]
    pairs = pairs.filter(best[0] & best[1])
    figures, by_threshold = {"f1": 0.0}, {}
    for threshold in (0.5, 0.9, 0.99, 0.999, 0.9999):
        kept = pairs.filter(pl.col("match_probability") >= threshold)
        found = score_pairs(kept, unlinked)
        if found["f1"] > figures["f1"]:
            figures = {**found, "threshold": threshold}
            kept.write_parquet(folder / "splink_pairs.parquet")
        by_threshold[f"precision_at_{threshold}"], by_threshold[f"recall_at_{threshold}"] = (
            found["precision"], found["recall"]
        )  # fmt: skip
    return figures | by_threshold


WAYS: dict[str, Callable[[Path], dict[str, float]]] = {"exact": exact, "passes": passes, "splink": splink}


def score(rows: pl.DataFrame) -> dict[str, float]:
    """Pairs of rows said to be one person against pairs that are: rows have ``person`` and ``entity``."""
    said, true, both = (_pairs(rows, by) for by in (["entity"], ["person"], ["entity", "person"]))
    return _figures(both, said, true)


def score_pairs(pairs: pl.DataFrame, rows: pl.DataFrame) -> dict[str, float]:
    """The same for pairs with ``person_l`` and ``person_r``."""
    right = pairs.filter(pl.col("person_l") == pl.col("person_r")).height
    return _figures(right, pairs.height, _pairs(rows, ["person"]))


def _figures(right: int, said: int, true: int) -> dict[str, float]:
    precision, recall = right / max(said, 1), right / max(true, 1)
    f1 = 2 * precision * recall / max(precision + recall, 1e-9)
    return {"precision": precision, "recall": recall, "f1": f1, "wrong_pairs": said - right}


def _pairs(rows: pl.DataFrame, by: list[str]) -> int:
    sizes = rows.drop_nulls(by).group_by(by).len()["len"].cast(pl.Int64)
    return int((sizes * (sizes - 1) // 2).sum())


def _entity(number: pl.Expr) -> pl.Expr:
    return pl.coalesce(number, pl.format("row {}", pl.int_range(pl.len())))


def _with_numbers(folder: Path) -> pl.DataFrame:
    """Both registers below each other, ``id_number`` as ingestion reads what is written; null where it does not."""
    from ingestion.parse_identity import parse_id

    rows = pl.concat([pl.read_parquet(folder / f"{name}.parquet") for name in REGISTERS], how="diagonal")
    parsed = parse_id(rows["written"], TODAY)
    faults = parsed.fault if parsed.fault is not None else pl.Series([None] * rows.height, dtype=pl.String)
    valid = pl.Series(parsed.value).rename("id_number")
    return rows.with_columns(valid, faults.rename("fault")).with_columns(
        id_number=pl.when(pl.col("fault").is_null()).then("id_number")
    )


def _as_claims(rows: pl.DataFrame):  # type: ignore[no-untyped-def]
    from ingestion.linkage.known import KnownFrames

    kinds = {"hukou_no": "hukou_number", "village": "village", "phone": "phone", "address": "address"}
    known = rows.filter(pl.col("id_number").is_not_null())
    asking = rows.filter(pl.col("id_number").is_null())
    # Both registers have one row a person.
    claims = asking.select(
        pl.col("row").cast(pl.UInt32).alias("claim"),
        pl.coalesce("fault", pl.lit("required_missing")).alias("reason"),
        pl.col("written").alias("text"),
        "name",
        "born_on",
        "sex",
        pl.lit(None, pl.String).alias("carried"),
        pl.col("register").alias("group"),
    )
    said = [
        asking.select(pl.col("row").cast(pl.UInt32).alias("claim"), pl.lit(kind).alias("kind"), value=name)
        for name, kind in kinds.items()
    ]
    facts = [known.select("id_number", pl.lit(kind).alias("kind"), value=name) for name, kind in kinds.items()]
    frames = KnownFrames(
        known.select("id_number", "name").unique(),
        pl.concat(facts).drop_nulls("value"),
        known.select(pl.col("register").alias("group"), "id_number"),
    )
    return claims, pl.concat(said).drop_nulls("value"), frames


def _proposals(linked: pl.DataFrame, links: pl.DataFrame) -> dict[str, float]:
    """Of the rows without a valid number: how many got a proposal, and how many of these are wrong.

    A number that was cut to end in 000 may pass its check by chance and stand for its person in the other register:
    a proposal of it names the right person by a wrong number.
    """
    asking = linked.filter(pl.col("id_number").is_null())
    known = linked.filter(pl.col("id_number").is_not_null()).select("id_number", "person").unique()
    truth = pl.read_parquet(_TRUTH[0]).select(pl.col("id_number").alias("true_number"), "person")
    judged = asking.join(truth, on="person")
    named = judged.filter(pl.col("proposed").is_not_null())
    right = named.join(known, left_on=["proposed", "person"], right_on=["id_number", "person"], how="semi")
    listed = links.filter(pl.col("state") == "review").select(pl.col("claim").alias("row"), listed="id_number")
    left = judged.filter(pl.col("proposed").is_null())
    with_right = left.join(listed, on="row").filter(pl.col("listed") == pl.col("true_number"))
    left.with_columns(
        is_listed=pl.col("row").is_in(listed["row"].implode()),
        is_known=pl.col("person").is_in(known["person"].implode()),
    ).write_parquet(_TRUTH[0].with_name("left.parquet"))
    return {
        "asking": asking.height,
        "proposed": named.height,
        "wrong_proposals": named.height - right.height,
        "right_person_by_a_wrong_number": right.filter(pl.col("proposed") != pl.col("true_number")).height,
        "for_review": listed["row"].n_unique(),
        "for_review_with_the_right_person": with_right["row"].n_unique(),
    }


_TRUTH: list[Path] = []
_COLUMNS = "unique_id_l, unique_id_r, person_l, person_r, match_weight, match_probability"


def _splink_pairs(folder: Path) -> tuple[pl.DataFrame, pl.DataFrame]:
    import splink.comparison_library as cl
    from splink import DuckDBAPI, Linker, SettingsCreator, block_on

    frames = [_for_splink(pl.read_parquet(folder / f"{name}.parquet")) for name in REGISTERS]
    database = DuckDBAPI()
    tables = [
        database.register(frame.to_arrow(), dataset_display_name=name)
        for name, frame in zip(REGISTERS, frames, strict=True)
    ]
    settings = SettingsCreator(
        link_type="link_only",
        comparisons=[
            cl.DamerauLevenshteinAtThresholds("number", [1, 2]),
            cl.JaroWinklerAtThresholds("name", [0.75]).configure(term_frequency_adjustments=True),
            cl.DamerauLevenshteinAtThresholds("born", [1, 2]),
            cl.ExactMatch("village"),
            cl.ExactMatch("phone"),
        ],
        blocking_rules_to_generate_predictions=[
            block_on("number"),
            block_on("name", "born"),
            block_on("name", "substr(number, 1, 14)"),
            block_on("name", "substr(number, 11, 8)"),
            block_on("name", "village"),
            block_on("name", "phone"),
            block_on("phone", "born"),
        ],
        retain_matching_columns=False,
        additional_columns_to_retain=["person"],
    )
    linker = Linker(tables, settings, log_level="ERROR")
    linker.training.estimate_probability_two_random_records_match([block_on("number")], recall=0.95)
    linker.training.estimate_u_using_random_sampling(max_pairs=2e6, seed=1)
    linker.training.estimate_parameters_using_expectation_maximisation(block_on("number"))
    linker.training.estimate_parameters_using_expectation_maximisation(block_on("name", "village"))
    linker.training.estimate_parameters_using_expectation_maximisation(block_on("phone"))
    scored = linker.inference.predict(threshold_match_probability=0.5)
    pairs = scored.as_duckdbpyrelation().select(_COLUMNS).pl()
    return pairs, pl.concat([frame.select("person") for frame in frames])


def _for_splink(rows: pl.DataFrame) -> pl.DataFrame:
    """What a careful user would hand over: 15 digits completed, a birth date from the number where none is told."""
    from ingestion.parse_identity import parse_id

    valid = parse_id(rows["written"], TODAY)
    number = pl.coalesce(valid.value, rows["written"]) if valid.fault is None else pl.when(
        valid.fault.is_null()).then(valid.value).otherwise(rows["written"])  # fmt: skip
    told = pl.col("born_on").dt.strftime("%Y%m%d") if "born_on" in rows.columns else pl.lit(None, pl.String)
    return rows.with_columns(number=number).select(
        pl.format("{}-{}", "register", "person").alias("unique_id"),
        "person",
        "number",
        "name",
        pl.coalesce(told, pl.col("number").str.extract(r"^\d{6}((?:19|20)\d{6})")).alias("born"),
        "village",
        "phone",
    )


def beyond_the_passes(folder: Path) -> dict[str, float]:
    """Rows that the passes left open: what Splink says of them, and whether they are on the review list."""
    left = pl.read_parquet(folder / "left.parquet").with_columns(unique_id=pl.format("{}-{}", "register", "person"))
    pairs = pl.read_parquet(folder / "splink_pairs.parquet")
    told = pl.concat(
        pairs.select(pl.col(f"unique_id_{side}").alias("unique_id"), right=pl.col("person_l") == pl.col("person_r"))
        for side in ("l", "r")
    )
    found = left.join(told, on="unique_id")
    # Where both rows are spoiled nobody is known by a valid number yet, and there is nobody to propose.
    known = left.filter("is_known")
    counts = {
        "left_open": left.height,
        "left_open_of_known_persons": known.height,
        "of_these_on_the_review_list": int(known["is_listed"].sum()),
    }
    for is_right, word in ((True, "right"), (False, "wrong")):
        some = found.filter(pl.col("right") == is_right)
        counts[f"splink_{word}"] = some.height
        counts[f"splink_{word}_of_known_persons"] = int(some["is_known"].sum())
        counts[f"splink_{word}_on_the_review_list"] = int(some.filter("is_known")["is_listed"].sum())
    kinds = left["defect"].value_counts(sort=True)
    return counts | {f"left_open_{kind or 'none'}": count for kind, count in kinds.iter_rows()}


def measure(way: str, folder: Path) -> dict[str, float]:
    """One way in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.linking", "--way", way, "--folder", str(folder)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode:
        raise RuntimeError(result.stderr[-2000:])
    measured: dict[str, float] = json.loads(result.stdout.splitlines()[-1])
    return measured


def run_one(way: str, folder: Path) -> None:
    """Do it and print what came of it; imports and start-up are in the times."""
    warnings.simplefilter("ignore")
    _TRUTH[:] = [folder / "truth.parquet"]
    start = time.perf_counter()
    figures = WAYS[way](folder)
    usage = resource.getrusage(resource.RUSAGE_SELF)
    took = {"cpu_s": usage.ru_utime + usage.ru_stime, "wall_s": time.perf_counter() - start}
    print(json.dumps(figures | took | {"peak_gb": usage.ru_maxrss * 1024 / 1e9}))


def prepare(folder: Path, people: int, seed: int) -> None:
    """Write both registers and the truth."""
    registers = make(people, seed)
    for name, rows in zip(REGISTERS, (registers.a, registers.b), strict=True):
        rows.drop("id_number").write_parquet(folder / f"{name}.parquet")
    truth = pl.concat([registers.a, registers.b], how="diagonal").select("person", "id_number").unique("person")
    truth.write_parquet(folder / "truth.parquet")
    print(f"{registers.a.height} and {registers.b.height} rows; the commonest name is {registers.top_name_share:.3%}")


def report(found: dict[str, dict[str, float]]) -> None:
    """The ways side by side, and the aims."""
    for way, figures in found.items():
        print(f"{way:7} F1 {figures['f1']:.6f}  precision {figures['precision']:.6f}  recall {figures['recall']:.6f}"
              f"  {figures['wrong_pairs']:.0f} wrong pairs  {figures['cpu_s']:6.1f} CPU s"
              f"  {figures['wall_s']:6.1f} s  {figures['peak_gb']:.2f} GB")  # fmt: skip
    for way, figures in found.items():
        print(way, {name: value for name, value in figures.items() if name not in ("f1", "precision", "recall")})
    ours, ratio = found["passes"], found["passes"]["cpu_s"] / found["splink"]["cpu_s"]
    print(f"F1 {ours['f1']:.4f} (aim: {AIM_F1}), precision {ours['precision']:.6f} (aim: {AIM_PRECISION})")
    print(f"CPU passes / Splink {ratio:.3f} (aim: under {AIM_CPU:.2f})")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=20230101)
    parser.add_argument("--way", choices=WAYS)
    parser.add_argument("--folder", type=Path)
    arguments = parser.parse_args()
    if arguments.way:
        run_one(arguments.way, arguments.folder)
        return
    with tempfile.TemporaryDirectory() as name:
        prepare(Path(name), arguments.people, arguments.seed)
        report({way: measure(way, Path(name)) for way in WAYS})
        print("rows that the passes leave open", beyond_the_passes(Path(name)))


if __name__ == "__main__":
    main()

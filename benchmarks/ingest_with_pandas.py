"""The work of ingestion on a population register, as a competent vectorised pandas script would do it.

Belongs here: the yardstick of ``ingest_gb18030.py``: same checks, same outputs, no framework. Not used anywhere
else.
"""

from __future__ import annotations

import hashlib
import hmac
from pathlib import Path

import numpy as np
import pandas as pd

from models.codes import load_code_tables, load_divisions
from models.contract import load_feeds

KEY = b"k" * 32
NOTHING = {"", "-", "—", "无"}
RECEIVED = pd.Timestamp("2030-01-01")
_ID = r"([1-9]\d{5})\d{8}(\d{3}[\dXx])"
WEIGHTS = np.array([7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2])


def ingest_file(path: Path, folder: Path) -> dict[str, int]:
    """Read, normalise, check, pseudonymise, write accepted rows, identities and quarantined rows."""
    feed = load_feeds()["population_register"]
    raw = pd.read_csv(path, encoding="gb18030", dtype=str, keep_default_na=False)
    table = raw.rename(columns={column.header: column.name for column in feed.columns})
    bad = pd.Series("", index=table.index)
    values = {}
    for column in feed.columns:
        cells = normalised(table[column.name])
        value, fault = parsed(column, cells)
        missing = column.required & (cells == "") if column.required else pd.Series(False, index=cells.index)
        values[column.name] = value
        if column.required or column.key:
            bad = bad.mask((bad == "") & missing, "required_missing").mask((bad == "") & fault, "invalid")
    frame = pd.DataFrame(values)
    good = frame[bad == ""]
    good = good.drop_duplicates().drop_duplicates("id_number", keep="last")
    keys = pd.Series(
        {number: hmac.digest(KEY, number.encode(), hashlib.sha256).hex()[:24] for number in good["id_number"].unique()}
    )
    person = good["id_number"].map(keys)
    identities = good[["id_number", "name", "phone", "address"]].assign(person_key=person)
    identities.to_parquet(folder / "vault.parquet", compression="zstd")
    lake = good.drop(columns=["id_number", "name", "former_name", "phone", "address"]).assign(person_key=person)
    lake.to_parquet(folder / "lake.parquet", compression="zstd")
    raw[bad != ""].assign(reason=bad[bad != ""]).to_parquet(folder / "quarantine.parquet", compression="zstd")
    return {"accepted": len(good), "quarantined": len(raw) - len(good)}


def normalised(cells: pd.Series) -> pd.Series:
    """Without surrounding blanks, full-width forms and zero-width characters."""
    table = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x3000: " ", 0x200B: None, 0xFEFF: None}
    odd = cells.str.contains(r"[\uff01-\uff5e\u3000\u200b\ufeff]")
    if odd.any():
        cells = cells.mask(odd, cells[odd].str.translate(table))
    return cells.str.strip().str.lstrip("'")


def parsed(column: object, cells: pd.Series) -> tuple[pd.Series, pd.Series]:
    """Typed values and which cells are at fault."""
    kind = column.type  # type: ignore[attr-defined]
    filled = ~cells.isin(NOTHING)
    if kind == "id":
        valid = valid_ids(cells)
        return cells.where(valid), filled & ~valid
    if kind == "date":
        text = cells.str.replace(r"^(\d{4})年(\d{1,2})月(\d{1,2})日$", r"\1-\2-\3", regex=True).str.replace(
            "[/.]", "-", regex=True
        )
        day = pd.to_datetime(text, format="%Y-%m-%d", errors="coerce")
        day = day.fillna(pd.to_datetime(text, format="%Y%m%d", errors="coerce"))
        day = day.where(day <= RECEIVED)
        return day, filled & day.isna()
    if kind == "code":
        labels = load_code_tables()[column.code_table].labels  # type: ignore[attr-defined]
        spellings = {label.zh: code for code, label in labels.items()} | {code.lstrip("0"): code for code in labels}
        code = cells.map({**spellings, **{code: code for code in labels}})
        return code, filled & code.isna()
    if kind == "division":
        known = {division.code for division in load_divisions()}
        own = cells.str.startswith("4207")
        valid = cells.str.fullmatch(r"\d{6}|\d{9}|\d{12}") & (~own | cells.str.ljust(12, "0").isin(known))
        return cells.where(valid), filled & ~valid
    if kind == "text":
        odd = cells.str.contains(r"[1-9]\d{16}[\dXx]")
        masked = cells.mask(odd, cells[odd].str.replace(_ID, r"\1********\2", regex=True)) if odd.any() else cells
        return masked.where(filled), pd.Series(False, index=cells.index)
    return cells.where(filled), pd.Series(False, index=cells.index)


def valid_ids(cells: pd.Series) -> pd.Series:
    """Check digit and birth date of 18-character numbers."""
    valid = cells.str.fullmatch(r"\d{17}[\dX]").to_numpy(dtype=bool)
    numbers = cells[valid]
    digits = np.frombuffer("".join(numbers).encode(), dtype=np.uint8).reshape(-1, 18)
    check = np.frombuffer(b"10X98765432", dtype=np.uint8)[((digits[:, :17] - 48).astype(int) @ WEIGHTS) % 11]
    born = pd.to_datetime(numbers.str[6:14], format="%Y%m%d", errors="coerce")
    result = pd.Series(False, index=cells.index)
    result[valid] = (check == digits[:, 17]) & born.between("1900-01-01", RECEIVED).to_numpy()
    return result

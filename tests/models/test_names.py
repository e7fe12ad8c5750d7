"""Names as they are compared: what makes no difference, what does, and that both forms of the function agree."""

from __future__ import annotations

import unicodedata

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.names import _after, comparable_name, comparable_names

SAME = [
    ("张三", "張 三"),
    ("张三", " 张\u3000三 "),
    ("张三", "张\u200b三"),
    ("阿卜杜拉·买买提", "阿卜杜拉•买买提"),
    ("阿卜杜拉·买买提", "阿卜杜拉・買買提".replace("買買", "买买")),
    ("阿卜杜拉·买买提", "阿卜杜拉．买买提"),
    ("阿卜杜拉·买买提", "阿卜杜拉买买提"),
    ("豈文", "\uf900文"),
    ("马一", "\u2ee2\u2f00"),
    ("\u9fb4文", "\ue81e文"),
    ("ANNA李", "ａｎｎａ李"),
    ("禮文", "礼\ufe00文"),
]
OTHER = [
    ("张三", "张四"),
    ("于文", "於文"),
    ("余文", "馀文"),
    ("后文", "後文"),
    ("范文", "範文"),
    ("肖文", "萧文"),
    ("王\U00020164", "王"),
    ("王\U00020164", "王\U00020165"),
    ("王\ue000", "王\ue001"),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_the_same_name_otherwise_typed(one: str, other: str) -> None:
    assert comparable_name(one) == comparable_name(other) != ""


@pytest.mark.parametrize(("one", "other"), OTHER)
def test_another_name_stays_another(one: str, other: str) -> None:
    assert comparable_name(one) != comparable_name(other)


def test_no_traditional_form_is_folded_into_two() -> None:
    assert not {chr(old) for old in _after()} & set(_after().values())


def test_rare_characters_are_kept_apart() -> None:
    extension = [chr(code) for code in range(0x20000, 0x2A6E0)]
    assert len({comparable_name(name) for name in extension}) == len(extension)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.one_of(st.text(max_size=6), st.none()), max_size=6))
def test_a_column_and_a_single_name_are_compared_alike(names: list[str | None]) -> None:
    known = [name for name in names if name is None or all(unicodedata.category(one) != "Cn" for one in name)]
    frame = pl.DataFrame({"name": pl.Series(known, dtype=pl.String)}).select(comparable_names(pl.col("name")))
    assert frame["name"].to_list() == [None if name is None else comparable_name(name) for name in known]


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=8))
def test_comparing_twice_is_comparing_once(name: str) -> None:
    once = comparable_name(name)
    assert comparable_name(once) == once

"""Names of people, firms and schools, drawn from common characters.

Belongs here: word lists. Does not belong here: anything that depends on a household's situation.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from simulator.randomness import Ints

_ONE_CHARACTER = (
    "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓"
    "许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎余潘杜戴夏钟汪田任姜"
)
SURNAMES = np.array([*_ONE_CHARACTER, "欧阳", "司马", "上官", "诸葛"])
MALE = np.array(list("伟强磊军洋勇杰涛明超辉刚平建国华文斌鹏飞龙波宇浩志海峰林松生贵福祥山水根"))
FEMALE = np.array(list("芳娜敏静丽艳娟霞秀玲桂英梅琴兰凤洁红玉莲珍雪琳婷慧莹佳欣怡云月菊香翠"))
_FIRM = np.array(list("鑫达顺安宏源泰华盛恒丰兴隆裕昌润诚信远通"))
_TRADES = np.array(["纺织", "食品", "机电", "物流", "建材", "劳务", "电子", "医药", "商贸", "服饰"])
_SHOPS = np.array(["副食店", "理发店", "小吃店", "五金店", "服装店", "水果店", "修理铺", "便利店"])


def people(rng: np.random.Generator, surname: Ints, sex: Ints) -> pl.Series:
    """Full names: a surname by its position and one or two given characters."""
    count = len(surname)
    first = np.where(sex == 1, MALE[rng.integers(0, len(MALE), count)], FEMALE[rng.integers(0, len(FEMALE), count)])
    second = np.where(sex == 1, MALE[rng.integers(0, len(MALE), count)], FEMALE[rng.integers(0, len(FEMALE), count)])
    given = np.where(rng.random(count) < 0.3, first, np.char.add(first, second))
    return pl.Series(np.char.add(SURNAMES[surname], given))


def firms(rng: np.random.Generator, count: int) -> pl.Series:
    trade = _TRADES[rng.integers(0, len(_TRADES), count)]
    return "鄂州" + _two(rng, count) + pl.Series(trade) + "有限公司"


def shops(rng: np.random.Generator, count: int) -> pl.Series:
    return "鄂州市" + _two(rng, count) + pl.Series(_SHOPS[rng.integers(0, len(_SHOPS), count)])


def _two(rng: np.random.Generator, count: int) -> pl.Series:
    drawn = _FIRM[rng.integers(0, len(_FIRM), (2, count))]
    return pl.Series(np.char.add(drawn[0], drawn[1]))

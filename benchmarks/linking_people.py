"""A million people in two registers, with the defects that ID numbers have in real files, and the truth.

Belongs here: who there is and how their numbers and names get spoiled, drawn at random from a seed. Does not belong
here: any way of linking them (``linking``); nothing here knows what a pass looks for.

What is in it:
- Names by the shares of the hundred most frequent surnames and a Zipf law over given characters, so that common
  names are common. Families share surname, address, phone and hukou number.
- Birth dates from 1930 to 2022 in three counties (and 5 % registered elsewhere); order codes drawn within the
  day, so that people of one county and day have numbers that differ in two or three characters.
- Twins (1.6 % of births: same surname and birthday, a shared given character, neighbouring numbers), siblings of the
  same name (0.1 % of families), and pairs in one village that share name and birthday without being related, their
  numbers one order apart (about 200).
- Two registers: A with name, sex, birth date, hukou number, village, address, phone; B with name, village, phone.
  In B one in ten has moved, one in four has another phone or none; one name in 200 is misspelt in either and one in
  500 was changed between the two.
- In each register 2 % of the rows have a defect of the number, by ``DEFECTS``. Of the numbers written with 15 digits
  one in fifty has a wrong digit too and so becomes a valid number of somebody else or nobody.
- One row in 50 of B is of a person whom A does not know (and the other way round).

What is not: the valid number of another member of the family in a person's row. Whoever goes by numbers takes it at
its word, and so do all three ways.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from ingestion.linkage.number import as_text, with_check

Ints = npt.NDArray[np.int64]

SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈"
    "姚卢姜崔钟谭陆汪范金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤"
)
# Per cent of the population, first of the list first; the rest falls off evenly.
_SHARES = (7.1, 7.0, 6.7, 5.4, 4.5, 3.1, 2.2, 2.1, 2.0, 1.9, 1.45, 1.4, 1.3, 1.25, 1.2, 1.15, 1.1, 1.0, 0.95, 0.9)
_MALE = "伟强磊军洋勇杰涛明超辉刚平建国华文斌鹏飞龙波宇浩志海峰林松生贵福祥山水根俊凯鑫博晨泽睿轩东亮成兵春荣新民"
_FEMALE = "芳娜敏静丽艳娟霞秀玲桂英梅琴兰凤洁红玉莲珍雪琳婷慧莹佳欣怡云月菊香翠萍燕丹晶颖露璐倩妍蕾瑶思雅梦诗涵"
_RARE = "安邦彬才灿昌畅朝程川达德栋恩帆富耕冠广海寒航豪恒宏鸿厚怀焕惠吉继佳坚健江锦景敬靖举钧康可奎坤昆朗乐磊力立良"
DEFECTS = {
    "wrong_digit": 0.27,
    "swapped": 0.15,
    "missing": 0.10,
    "doubled": 0.05,
    "wrong_check": 0.08,
    "fifteen_digits": 0.12,
    "cut_to_15": 0.10,
    "scientific": 0.05,
    "two_errors": 0.04,
    "empty": 0.04,
}
_RATE = 0.02


@dataclass(frozen=True)
class Registers:
    """Two registers as delivered (``person`` is the truth) and some figures about the people."""

    a: pl.DataFrame
    b: pl.DataFrame
    top_name_share: float


def make(people: int, seed: int) -> Registers:
    """Draw the city and its two registers."""
    rng = np.random.default_rng(seed)
    city = _people(rng, people)
    share = city["name"].value_counts()["count"].max() / people  # type: ignore[operator]
    a = _spoiled(rng, city.filter(pl.Series(rng.random(city.height) > 0.02)), "a")
    moved = _moved(rng, city.filter(pl.Series(rng.random(city.height) > 0.02)))
    b = _spoiled(rng, moved, "b").drop("born_on", "sex", "hukou_no", "address")
    return Registers(a, b, float(share))


def _people(rng: np.random.Generator, count: int) -> pl.DataFrame:
    sizes = rng.choice([1, 2, 3, 4, 5, 6], size=count, p=[0.2, 0.27, 0.25, 0.16, 0.08, 0.04])
    household = np.repeat(np.arange(count), sizes)[:count]
    homes = int(household.max()) + 1
    village = rng.integers(0, 321, homes)[household]
    sex = rng.integers(1, 3, count)
    born = _births(rng, count)
    surname = _surnames(rng, homes)[household]
    stranger = rng.random(count) < 0.25  # who married in
    surname = np.where(stranger, _surnames(rng, count), surname)
    given = _given(rng, sex)
    region = np.where(rng.random(count) < 0.05, 420_100 + rng.integers(1, 60, count), 420_702 + village % 3)
    order = rng.integers(0, 500, count) * 2 + sex % 2
    _twins(rng, household, born, surname, given, region, order, sex)
    name = np.char.add(surname, given)
    _same_names(rng, household, village, born, name, region, order, sex)
    number = _numbers(rng, region, born, order)
    phone = 13_000_000_000 + rng.integers(0, 6_000_000_000, homes)[household]
    own = rng.random(count) < 0.6
    phone = np.where(own, 13_000_000_000 + rng.integers(0, 6_000_000_000, count), phone)
    return pl.DataFrame(
        {
            "person": np.arange(count),
            "id_number": number,
            "name": pl.Series(name),
            "sex": pl.Series(sex).cast(pl.String),
            "born_on": pl.Series(born),
            "hukou_no": pl.Series(household).cast(pl.String),
            "village": pl.Series(village).cast(pl.String).str.zfill(12),
            "address": pl.Series(household % 40).cast(pl.String) + "组" + pl.Series(household % 997).cast(pl.String),
            "phone": pl.Series(phone).cast(pl.String),
        }
    ).unique("id_number", keep="first", maintain_order=True)


def _births(rng: np.random.Generator, count: int) -> npt.NDArray[np.datetime64]:
    first, last = np.datetime64("1930-01-01"), np.datetime64("2023-01-01")
    span = int((last - first).astype(np.int64))
    # Few are very old: a triangle up to the generation of 1965, level after it.
    drawn = np.where(rng.random(count) < 0.35, rng.triangular(0, 0.4, 0.4, count), rng.uniform(0.35, 1, count))
    return first + (drawn * (span - 1)).astype(np.int64)


def _surnames(rng: np.random.Generator, count: int) -> npt.NDArray[np.str_]:
    rest = np.linspace(0.9, 0.1, len(SURNAMES) - len(_SHARES))
    weights = np.array([*_SHARES, *rest])
    return np.array(list(SURNAMES))[rng.choice(len(SURNAMES), count, p=weights / weights.sum())]


def _given(rng: np.random.Generator, sex: Ints) -> npt.NDArray[np.str_]:
    men, women = (np.array(list(own + _RARE)) for own in (_MALE, _FEMALE))
    first, second = (np.where(sex == 1, men[_zipf(rng, len(men), len(sex))], women[_zipf(rng, len(women), len(sex))])
                     for _ in range(2))  # fmt: skip
    return np.where(rng.random(len(sex)) < 0.16, first, np.char.add(first, second))


def _zipf(rng: np.random.Generator, kinds: int, count: int) -> Ints:
    weights = 1 / (np.arange(kinds) + 3.0) ** 0.9
    return rng.choice(kinds, count, p=weights / weights.sum())


def _twins(rng: np.random.Generator, household: Ints, born: npt.NDArray[np.datetime64], surname: npt.NDArray[np.str_],
           given: npt.NDArray[np.str_], region: Ints, order: Ints, sex: Ints) -> None:  # fmt: skip
    """Make the next of the same household a twin: born that day, registered next, sharing a given character."""
    first = np.flatnonzero((household[:-1] == household[1:]) & (rng.random(len(household) - 1) < 0.016))
    first = first[np.diff(first, prepend=-9) > 1]
    second = first + 1
    born[second], surname[second], region[second], sex[second] = born[first], surname[first], region[first], sex[first]
    order[second] = (order[first] + 2) % 1000
    shared = np.array([text[0] for text in given[first]])
    given[second] = np.char.add(shared, np.array([text[-1] for text in given[second]]))


def _same_names(rng: np.random.Generator, household: Ints, village: Ints, born: npt.NDArray[np.datetime64],
                name: npt.NDArray[np.str_], region: Ints, order: Ints, sex: Ints) -> None:  # fmt: skip
    """Siblings of one name, and unrelated people of one village, name and birthday."""
    siblings = np.flatnonzero((household[:-1] == household[1:]) & (rng.random(len(household) - 1) < 0.001))
    name[siblings + 1] = name[siblings]
    by_village = np.argsort(village, kind="stable")
    pairs = rng.choice(len(village) - 1, max(2, len(village) // 2000), replace=False)
    one, other = by_village[pairs], by_village[pairs + 1]
    unrelated = household[one] != household[other]
    one, other = one[unrelated], other[unrelated]
    name[other], born[other], region[other], sex[other] = name[one], born[one], region[one], sex[one]
    order[other] = (order[one] + 2) % 1000


def _numbers(rng: np.random.Generator, region: Ints, born: npt.NDArray[np.datetime64], order: Ints) -> pl.Series:
    del rng
    day = pl.Series(born).dt.strftime("%Y%m%d").cast(pl.Int64).to_numpy()
    whole = region * 10**11 + day * 1000 + order
    digits = np.column_stack([whole // 10**place % 10 for place in range(16, -1, -1)])
    return as_text(with_check(digits))


def _moved(rng: np.random.Generator, people: pl.DataFrame) -> pl.DataFrame:
    """What another office knows of them: some have moved, some have another phone, none or another name."""
    count = people.height
    elsewhere = pl.Series(rng.integers(0, 321, count)).cast(pl.String).str.zfill(12)
    phone = pl.Series(13_000_000_000 + rng.integers(0, 6_000_000_000, count)).cast(pl.String)
    surname = people["name"].str.slice(0, 1)
    given = pl.Series(_given(rng, people["sex"].cast(pl.Int64).to_numpy()))
    draw = {name: pl.Series(rng.random(count)) for name in ("village", "phone", "name")}
    return people.with_columns(
        village=pl.when(draw["village"] < 0.1).then(elsewhere).otherwise("village"),
        phone=pl.when(draw["phone"] < 0.13).then(phone).when(draw["phone"] > 0.12 + 0.13).then("phone"),
        name=pl.when(draw["name"] < 0.002).then(surname + given).otherwise("name"),
    )


def _spoiled(rng: np.random.Generator, people: pl.DataFrame, register: str) -> pl.DataFrame:
    """``written`` is the number as it stands in the register, ``defect`` what was done to it."""
    count = people.height
    kinds = np.array(list(DEFECTS))
    weights = np.array(list(DEFECTS.values()))
    drawn = kinds[rng.choice(len(kinds), count, p=weights / weights.sum())]
    defect = np.where(rng.random(count) < _RATE, drawn, "")
    numbers = people["id_number"].to_list()
    written: list[str | None] = list(numbers)
    for at in np.flatnonzero(defect != ""):
        written[at] = _defective(rng, numbers[at], str(defect[at]))
    names = people["name"].to_list()
    for at in np.flatnonzero(rng.random(count) < 0.005):
        given = str(rng.choice(list(_MALE + _FEMALE)))
        names[at] = names[at][:-1] + given
    return people.with_columns(
        pl.Series("written", written, dtype=pl.String),
        pl.Series("defect", defect),
        pl.Series("name", names),
        pl.lit(register).alias("register"),
    )


def _defective(rng: np.random.Generator, number: str, defect: str) -> str | None:
    at = int(rng.integers(0, 17))
    if defect == "wrong_digit":
        return _wrong(rng, number, at)
    if defect == "two_errors":
        return _wrong(rng, _wrong(rng, number, at), (at + int(rng.integers(1, 17))) % 17)
    if defect == "wrong_check":
        return number[:17] + str(rng.choice([c for c in "0123456789X" if c != number[17]]))
    if defect == "swapped":
        places = [place for place in range(17) if number[place] != number[place + 1]]
        at = int(rng.choice(places))
        return number[:at] + number[at + 1] + number[at] + number[at + 2 :]
    if defect == "missing":
        return number[:at] + number[at + 1 :]
    if defect == "doubled":
        return number[: at + 1] + number[at:]
    if defect == "fifteen_digits":
        old = number[:6] + number[8:17]
        return number if number[6:8] != "19" else _wrong(rng, old, at % 15) if rng.random() < 0.02 else old
    if defect == "cut_to_15":
        return number[:15] + "000"
    if defect == "scientific":
        return f"{number[0]}.{number[1:15].rstrip('0')}E+17"
    return None


def _wrong(rng: np.random.Generator, number: str, at: int) -> str:
    return number[:at] + str((int(number[at]) + int(rng.integers(1, 10))) % 10) + number[at + 1 :]

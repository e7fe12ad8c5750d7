"""Sources of parameters for Chinese readers: every one that is told in English has its words."""

from models.policy import load_parameters
from models.policy.source import source_in


def test_every_english_source_has_chinese_words() -> None:
    sources = {row.source for parameter in load_parameters().values() for row in parameter.rows}
    assert len(sources) > 50
    assert [source for source in sources if source_in(source, "zh").isascii()] == []


def test_documents_of_the_state_and_english_readers_get_them_as_they_are() -> None:
    assert source_in("民法典第十七条", "zh") == "民法典第十七条"
    assert source_in("Life of an alert", "en") == "Life of an alert"
    assert source_in("Default of the indicator catalogue, N08", "zh") == "本系统预警指标的默认值，N08"

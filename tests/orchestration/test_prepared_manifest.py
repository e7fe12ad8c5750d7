"""The manifest that definitions are made from: whole for whoever reads it, made once for all who need it."""

from pathlib import Path

import pytest

from orchestration.home.settings import DataHome
from orchestration.warehouse import dbt


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[DataHome, list[int]]:
    """A home, and what dbt was asked to parse; the parsing itself is not what is tried here."""
    home, asked = DataHome(tmp_path).create(), []

    def parse(of: DataHome) -> None:
        asked.append(len(asked))
        (of.dbt / dbt.TARGET).mkdir(exist_ok=True)
        (of.dbt / dbt.TARGET / "manifest.json").write_text(f'{{"parsed": {len(asked)}}}')

    monkeypatch.setattr(dbt, "_parse", parse)
    monkeypatch.setattr(dbt, "project_fingerprint", lambda: "one")
    return home, asked


def test_a_build_that_writes_its_own_manifest_disturbs_nobody(home: tuple[DataHome, list[int]]) -> None:
    paths, asked = home
    manifest = dbt.prepared_manifest(paths)
    (paths.dbt / dbt.TARGET / "manifest.json").write_text('{"half')
    assert dbt.prepared_manifest(paths).read_text() == '{"parsed": 1}'
    assert (manifest, asked) == (dbt.manifest_file(paths), [0])


def test_it_is_made_anew_where_the_project_has_changed(
    home: tuple[DataHome, list[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    paths, asked = home
    dbt.prepared_manifest(paths)
    monkeypatch.setattr(dbt, "project_fingerprint", lambda: "two")
    assert dbt.prepared_manifest(paths).read_text() == '{"parsed": 2}'
    dbt.prepared_manifest(paths)
    assert asked == [0, 1]

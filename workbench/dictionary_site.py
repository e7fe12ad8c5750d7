"""The data dictionary as pages that need no server and no network: a front page with search, a page a table.

Belongs here: pages and links. Does not belong here: what an entry says (``dictionary``).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment
from markupsafe import Markup

from models.contract import load_feeds
from models.dictionary import join_questions
from models.labels import label
from workbench.dictionary import Table
from workbench.pages import page_environment, style

FRONT, PAGES = "index.html", "tables"


@dataclass(frozen=True)
class Site:
    """The pages in one language."""

    tables: tuple[Table, ...]
    lang: str

    def write(self, folder: Path) -> list[Path]:
        """Write all pages into ``folder``; pages of tables that are gone are taken away. Returns the paths."""
        pages = folder / PAGES
        pages.mkdir(parents=True, exist_ok=True)
        environment = self._environment()
        written = [folder / FRONT]
        written[0].write_text(self._front(environment), encoding="utf-8")
        template = environment.get_template("dictionary_table.html.j2")
        for table in self.tables:
            path = pages / f"{table.id}.html"
            path.write_text(template.render(t=table, root="../", questions=self._questions(table)), encoding="utf-8")
            written.append(path)
        for stale in set(pages.glob("*.html")) - set(written):
            stale.unlink()
        return written

    def _environment(self) -> Environment:
        environment = page_environment()
        known = {table.id for table in self.tables}
        environment.globals |= {
            "css": style("document.css", "dictionary.css"),
            "w": self._word,
            "lang": self.lang,
            "feed_title": self._feed_title,
            "is_known": lambda schema, name: f"{schema}.{name}" in known,
        }
        return environment

    def _front(self, environment: Environment) -> str:
        layers: dict[str, list[Table]] = {}
        for table in self.tables:
            layers.setdefault(table.schema, []).append(table)
        columns = sum(len(table.columns) for table in self.tables)
        # Within a script only "</" could end it; JSON may write it apart.
        index = json.dumps(self._index(), ensure_ascii=False, separators=(",", ":")).replace("</", "<\\/")
        return environment.get_template("dictionary_front.html.j2").render(
            layers=layers, count=len(self.tables), columns=columns, index=Markup(index), root=""
        )

    def _index(self) -> list[list[str]]:
        """What can be found: name, where it stands, words, page."""
        found = []
        for table in self.tables:
            page = f"{PAGES}/{table.id}.html"
            title = " ".join(part for part in (table.title_zh, table.grain_zh, table.grain) if part)
            found.append([table.id, title, page])
            for column in table.columns:
                words = " ".join(part for part in (table.title_zh, column.heading_zh, column.description) if part)
                found.append([f"{table.id}.{column.name}", words, f"{page}#{column.name}"])
        return found

    def _questions(self, table: Table) -> list[str]:
        texts = {one.id: one.text.zh if self.lang == "zh" else one.text.en for one in join_questions()}
        grain = table.grain.removesuffix(".")
        places: dict[str, Any] = {"grain": grain, "keys": ", ".join(table.keys)}
        return [texts[name].format(**places) for name in table.questions]

    def _word(self, key: str, **places: object) -> str:
        return label(f"dictionary.{key}", self.lang, **places)

    def _feed_title(self, name: str) -> str:
        feed = load_feeds().get(name)
        return name if feed is None else feed.title_zh if self.lang == "zh" else feed.title_en

"""The aid chain as one page to print: nothing is loaded from elsewhere.

Belongs here: rendering. Does not belong here: the words (``chain``).
"""

from __future__ import annotations

from workbench.chain import FINDING, LINE, MEMBER, OVERPAID, Chain, plain
from workbench.pages import render_page

NUMBERS = ("times", "amount", "total", "months")


def chain_page(chain: Chain) -> str:
    """The page as HTML; every text that came in is escaped."""
    tables = (
        ("findings", FINDING, chain.findings, "no_finding"),
        ("overpaid", OVERPAID, chain.overpaid, "no_overpaid"),
        ("timeline", LINE, chain.lines, "empty"),
        ("members", MEMBER, chain.members, "empty"),
    )
    return render_page(
        "chain.html.j2",
        chain=chain,
        title=chain.text("title", subject=chain.subject),
        tables=[(name, columns, table.select(columns).rows(named=True), none) for name, columns, table, none in tables],
        numbers=NUMBERS,
        plain=plain,
    )

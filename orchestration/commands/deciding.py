"""What commands share by which a person decides something: who, why, and in what words it is refused."""

from __future__ import annotations

from typing import Annotated

import typer

from models.masking import mask_text
from orchestration.trail.audit import user_of_the_system

ReasonOption = Annotated[str, typer.Option(help="Why; kept with the decision.")]
ByOption = Annotated[str | None, typer.Option("--by", help="Who decides; default: the user of the system.")]


def decider(given: str | None) -> str:
    """Who decides: as named, else the user of the system (a user without a name by the number)."""
    if given and given.strip():
        return given.strip()
    return user_of_the_system()


def checked_reason(reason: str) -> str:
    """The reason without surrounding blanks; a usage error where nothing is left of it.

    People write ID numbers and phones into reasons, which are kept for good in places that hold no identities.
    """
    if not reason.strip():
        raise typer.BadParameter("say why", param_hint="--reason")
    return mask_text(reason.strip())

"""``zhaoren vault``: who is in the vault, legal holds, deletion by retention, new keys.

Belongs here: the words of the commands and what is logged of them. What happens is in ``ingestion.vault``.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from ingestion import BusyError, SecretError, Store, Vault
from ingestion.encryption import VaultLockedError
from ingestion.vault.alias import Aliases
from ingestion.vault.certificate import broken_links, certificate_paths, certificates
from ingestion.vault.hold import Holds
from ingestion.vault.purge import OPEN_ALERT, PurgeOrder, counted, purge
from ingestion.vault.rotation import Rotated, rotate_pseudonyms, rotate_vault_key
from ingestion.vault.summary import vault_summary
from models.policy.retention import RetentionError, load_retention
from orchestration.commands.arguments import JsonOption, time_of
from orchestration.commands.deciding import ByOption, ReasonOption, checked_reason, decider
from orchestration.console import CommandError, Exit, answer, finish, say, show_json, show_table
from orchestration.home.lock import locked, taking_in
from orchestration.home.settings import DataHome, find_home
from orchestration.home.stores import store_of
from orchestration.questions.people import area_of, masked, person_key_of, with_open_alerts
from orchestration.trail.audit import record_access

DEFAULT_POLICY = "standard"
KeyArgument = Annotated[str | None, typer.Argument(help="Person key (letters). Left out: an ID number is asked for.")]
IdFileOption = Annotated[
    Path | None, typer.Option("--id-file", exists=True, dir_okay=False, help="File that holds one ID number.")
]
SUMMARY_COLUMNS = {
    "feed": "feed",
    "class": "retention class",
    "persons": "persons",
    "first_month": "from",
    "last_month": "to",
    "deliveries": "deliveries",
    "bytes": "bytes",
}
FACT_COLUMNS = {
    "fact": "fact",
    "value": "value",
    "feed": "feed",
    "role": "column",
    "first_month": "since",
    "first_delivery": "first told by",
    "last_month": "last told for",
    "last_delivery": "last told by",
}
vault_app = typer.Typer(help="Identities: who is known, legal holds, deletion, keys.", no_args_is_help=True)


@vault_app.command()
def status(as_json: JsonOption = False) -> None:
    """How many persons are in the vault, by feed, since when. Counts only.

    Example: [bold]zhaoren vault status[/]
    """
    with _opened() as store:
        persons, feeds = vault_summary(store, load_retention(DEFAULT_POLICY))
        held = len(Holds(store).in_force())
    issued = len(certificates(store.vault))
    if as_json:
        told = {"persons": persons, "legal_holds": held, "certificates": issued, "feeds": feeds.to_dicts()}
        show_json(told)
        return
    answer(feeds, f"{persons} persons in the vault", SUMMARY_COLUMNS, as_json=False)
    say(f"{held} persons under a legal hold, {issued} certificates of deletion issued")


@vault_app.command()
def person(
    reason: ReasonOption,
    key: KeyArgument = None,
    id_file: IdFileOption = None,
    identified: Annotated[bool, typer.Option("--identified", help="Show names and numbers as they are.")] = False,
    by: ByOption = None,
    as_json: JsonOption = False,
) -> None:
    """What is known of one person, since when and from which delivery. Masked unless --identified; always logged.

    Example: [bold]zhaoren vault person --reason "request for information, no. 12" --id-file request.txt[/]
    """
    why, who, home = checked_reason(reason), decider(by), find_home()
    with _opened() as store:
        wanted = person_key_of(Vault(store), key, id_file)
        now = Aliases(store).resolve(wanted)
        facts = Vault(store).facts_of(str(now["new_key"][0]) if now.height else wanted)
    kind = "identified look at a person" if identified else "masked look at a person"
    record_access(home, "look", kind, who=who, area=area_of(home, wanted), count=int(facts.height > 0), reason=why)
    if facts.is_empty():
        raise CommandError("the vault does not know that person", "nothing was ever delivered, or it was deleted")
    answer(facts if identified else masked(facts), "what is known", FACT_COLUMNS, as_json=as_json)


@vault_app.command()
def resolve(
    number: Annotated[str, typer.Argument(help="Person key, household or alert number given out earlier.")],
    as_json: JsonOption = False,
) -> None:
    """What a number given out before a change of the pseudonym key stands for now: a person key (and month).

    Example: [bold]zhaoren vault resolve N-abcdefghijkl[/]
    """
    with _opened() as store:
        found = Aliases(store).resolve(number)
    if found.is_empty():
        raise CommandError("that number was never changed", "look it up as it is")
    columns = {"kind": "kind", "new_key": "person key now", "side": "side", "month": "month"}
    answer(found.drop("old"), "stands for", columns, as_json=as_json)


@vault_app.command()
def hold(reason: ReasonOption, key: KeyArgument = None, id_file: IdFileOption = None, by: ByOption = None) -> None:
    """Put a person under a legal hold: no retention deletes the identity until it is lifted.

    Example: [bold]zhaoren vault hold --reason "court file 2026-17" --id-file person.txt[/]
    """
    why, who = checked_reason(reason), decider(by)
    with _opened() as store:
        count = Holds(store).place([person_key_of(Vault(store), key, id_file)], who, why, datetime.now(UTC))
    _log(who, "legal hold placed", count, why)
    say("held" if count else "was held already")


@vault_app.command()
def unhold(reason: ReasonOption, key: KeyArgument = None, id_file: IdFileOption = None, by: ByOption = None) -> None:
    """Lift a legal hold.

    Example: [bold]zhaoren vault unhold --reason "court file 2026-17 closed" --id-file person.txt[/]
    """
    why, who = checked_reason(reason), decider(by)
    with _opened() as store:
        count = Holds(store).lift([person_key_of(Vault(store), key, id_file)], who, why, datetime.now(UTC))
    _log(who, "legal hold lifted", count, why)
    say("lifted" if count else "was not held")


@vault_app.command()
def holds(as_json: JsonOption = False) -> None:
    """Every legal hold ever, by person key.

    Example: [bold]zhaoren vault holds[/]
    """
    with _opened() as store:
        every = Holds(store).all()
    columns = {"person_key": "person key", "held_at": "since", "held_by": "by", "reason": "why"}
    columns |= {"lifted_at": "lifted", "lifted_by": "by", "lifted_reason": "why"}
    answer(every, f"{every.height} legal holds", columns, as_json=as_json)


@vault_app.command("purge")
def purge_identities(
    reason: ReasonOption,
    policy: Annotated[str, typer.Option(help="Retention policy, a file of models/policy/retention.")] = DEFAULT_POLICY,
    as_of: Annotated[str | None, typer.Option("--as-of", metavar="DATE", help="Default: today.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be deleted; change nothing.")] = False,
    by: ByOption = None,
    as_json: JsonOption = False,
) -> None:
    """Delete the identities of persons past retention, and issue a certificate. Pseudonymous records stay.

    Kept are persons on the register, with an open alert or under a legal hold.

    Examples: [bold]zhaoren vault purge --dry-run --reason "look"[/] ·
    [bold]zhaoren vault purge --policy standard --reason "yearly deletion 2026"[/]
    """
    why, who, home = checked_reason(reason), decider(by), find_home()
    now = datetime.now(UTC)
    day = (time_of(as_of) or now).date()
    with _alone(home) as store:
        try:
            order = PurgeOrder(load_retention(policy), day, who, why, now, {OPEN_ALERT: with_open_alerts(home)})
            certificate = purge(store, order, dry_run=dry_run)
        except (RetentionError, ValueError) as error:
            raise CommandError(str(error), "name a policy that holds on that day") from error
    if certificate is None:
        if as_json:
            show_json(None)
        else:
            say("nothing is past retention")
        return
    if not dry_run:
        _log(who, f"purge {policy}, certificate {certificate.number}", certificate.persons, why)
    if as_json:
        show_json(asdict(certificate))
        return
    columns = {"class": "class", "feed": "feed", "deliveries": "deliveries"}
    columns |= {"identity_rows": "identity rows", "quarantined_rows": "raw rows"}
    show_table("would be deleted" if dry_run else "deleted", counted(certificate), columns)
    say(f"{certificate.persons} persons; of {certificate.persons_without_rest} of them nothing is left")
    for kind, count in certificate.kept_by_reason.items():
        say(f"kept though past retention, {kind.replace('_', ' ')}: {count}")
    if not dry_run:
        say(f"certificate: {certificate_paths(store.vault, certificate.number)}")


@vault_app.command("certificates")
def list_certificates(as_json: JsonOption = False) -> None:
    """Certificates of deletion, and whether their chain is whole (exit code 1 where it is not).

    Example: [bold]zhaoren vault certificates[/]
    """
    home = find_home()
    issued, broken = certificates(home.vault), broken_links(home.vault)
    if as_json:
        show_json({"certificates": issued, "broken": broken})
    else:
        columns = {"number": "no.", "issued_at": "issued", "who": "by", "policy": "policy", "persons": "persons"}
        show_table(f"{len(issued)} certificates", issued, {**columns, "reason": "why"})
        say(f"the chain is broken at: {broken}" if broken else "the chain is whole")
    if broken:
        finish(Exit.FINISHED_WITH_PROBLEMS)


@vault_app.command("rotate-key")
def rotate_key(reason: ReasonOption, by: ByOption = None, as_json: JsonOption = False) -> None:
    """Encrypt vault and quarantine under a new vault key; the old one opens nothing afterwards.

    The new key is made at random where the key file holds the old one; a key that comes from ZHAOREN_VAULT_KEY is
    exchanged for the one in ZHAOREN_VAULT_KEY_NEXT.

    Example: [bold]zhaoren vault rotate-key --reason "yearly"[/]
    """
    why, who, home = checked_reason(reason), decider(by), find_home()
    with _alone(home) as store:
        rotated = rotate_vault_key(store)
    _log(who, f"vault key {rotated.key_id_before} replaced by {rotated.key_id_after}", rotated.files, why)
    _tell(rotated, as_json=as_json)


@vault_app.command("rotate-pseudonyms")
def rotate_person_keys(reason: ReasonOption, by: ByOption = None, as_json: JsonOption = False) -> None:
    """Give every person a new key under a new pseudonym key. The next run builds the warehouse anew.

    Keys, household and alert numbers given out before still resolve. Bring open review lists of links back first.

    Example: [bold]zhaoren vault rotate-pseudonyms --reason "key may be known"[/]
    """
    why, who, home = checked_reason(reason), decider(by), find_home()
    with _alone(home) as store:
        rotated = rotate_pseudonyms(store)
    _log(who, f"pseudonym key {rotated.key_id_before} replaced by {rotated.key_id_after}", rotated.person_keys, why)
    _tell(rotated, as_json=as_json)
    if not as_json:
        say("`zhaoren run` builds the warehouse anew; until then published tables already bear the new keys")


def _tell(rotated: Rotated, *, as_json: bool) -> None:
    told = {name: value for name, value in asdict(rotated).items() if name != "store"}
    if as_json:
        show_json(told)
        return
    say(f"{rotated.kind} key {rotated.key_id_before} replaced by {rotated.key_id_after}: {rotated.files} files anew")
    say("copy the new key to where you keep the old one; keep the old one as long as you keep backups made under it")


def _log(who: str, what: str, count: int, why: str) -> None:
    record_access(find_home(), "change", what, who=who, count=count, reason=why)


@contextmanager
def _opened() -> Iterator[Store]:
    """The store of the home; what a person can mend is told as such."""
    try:
        yield store_of(find_home())
    except SecretError as error:
        raise CommandError(str(error), "`zhaoren doctor` says which keys the home is written with") from error
    except VaultLockedError as error:
        raise CommandError(str(error), "restore that file from a backup, or give the right vault key") from error


@contextmanager
def _alone(home: DataHome) -> Iterator[Store]:
    """The same with nobody else at work on the home."""
    try:
        with locked(home), taking_in(home), _opened() as store:
            yield store
    except BusyError as error:
        raise CommandError(str(error), "see `zhaoren status`, and try again when it has ended") from error


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.add_typer(vault_app, name="vault")

"""Where the data home lies and how the project is set: ``zhaoren.toml`` there, overridden by the environment.

Every setting has a default; an unknown key in the file is an error. Numbers of policy do not belong here
(they are dated parameters in ``models/policy``), secrets neither (a key file or the environment).
"""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Any, Literal
from urllib.parse import parse_qs, urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from ingestion.database import PASSWORD_VARIABLE, Address, address_of, write_address
from ingestion.source.settings import Sources
from orchestration.start import DEFAULT_HOME, DEFAULT_THREADS, SETTINGS_FILE


class SettingsError(ValueError):
    """``zhaoren.toml`` or a ZHAOREN_ variable cannot be used; says which key and why."""


class LimitSettings(BaseModel):
    """How much of the machine a run may take."""

    model_config = ConfigDict(extra="forbid")

    threads: int = Field(default=DEFAULT_THREADS, ge=1)
    memory_limit: str = "4GB"
    spill_folder: Path | None = None
    """Where DuckDB spills what is larger than its memory; default: ``spill`` in the data home."""
    wait_seconds: float = Field(default=60, ge=0)
    """How long a command waits for another one that is at work on the same data home."""
    runs_at_once: int = Field(default=2, ge=1)
    """How many runs Dagster's daemon starts side by side; each takes threads and memory of its own."""
    run_wait_seconds: float = Field(default=14_400, ge=0)
    """How long a run that Dagster's daemon started waits for another one to bring its tables up to date."""


class ListSettings(BaseModel):
    """What the lists and reports for people look like."""

    model_config = ConfigDict(extra="forbid")

    language: Literal["zh", "en"] = "zh"


class ModelSettings(BaseModel):
    """When the model is trained anew."""

    model_config = ConfigDict(extra="forbid")

    retrain_after_months: int = Field(default=12, ge=1)


class AuditSettings(BaseModel):
    """Where the heads of the audit log lie; best on another disk than the data home."""

    model_config = ConfigDict(extra="forbid")

    anchor: Path | None = None


class DatabaseSettings(BaseModel):
    """Where records and Dagster's storage lie; without a URL they are files of the data home."""

    model_config = ConfigDict(extra="forbid")

    url: str | None = None
    """``postgresql://user@host:5432/database``, as libpq reads it, without a password."""
    schema_name: str = Field(default="zhaoren", pattern=r"^[a-z][a-z0-9_]{0,40}$")
    """A schema for each data home that shares the database."""
    password: SecretStr | None = None
    """Only by ``ZHAOREN_DATABASE__PASSWORD``, never in the file."""
    password_file: Path | None = None
    """A file that holds nothing but the password, such as a secret that is mounted."""

    @field_validator("url")
    @classmethod
    def _is_postgresql(cls, url: str | None) -> str | None:
        parts = urlsplit(url or "postgresql://host")
        if parts.scheme not in {"postgresql", "postgres"}:
            raise ValueError("must begin with postgresql://")
        if parts.password or "password" in parse_qs(parts.query):
            raise ValueError(f"must not hold a password: set {PASSWORD_VARIABLE} or password_file")
        return url


class BackupSettings(BaseModel):
    """Where copies of the home are kept; credentials come from where AWS's own tools look, never from here."""

    model_config = ConfigDict(extra="forbid")

    to: str | None = None
    """A folder on another disk, or ``s3://bucket/prefix``."""
    endpoint: str | None = None
    """Address of an S3-compatible server that is not Amazon's."""
    region: str | None = None


class Settings(BaseSettings):
    """All settings; environment variables (``ZHAOREN_LIMITS__THREADS=4``) win over the file."""

    model_config = SettingsConfigDict(env_prefix="ZHAOREN_", env_nested_delimiter="__", extra="forbid")

    pseudonym_algorithm: Literal["sha256", "sm3"] = "sha256"
    limits: LimitSettings = LimitSettings()
    lists: ListSettings = ListSettings()
    model: ModelSettings = ModelSettings()
    audit: AuditSettings = AuditSettings()
    database: DatabaseSettings = DatabaseSettings()
    backup: BackupSettings = BackupSettings()
    # Where deliveries come from besides the inbox: one [[source]] each (docs/sources.md).
    source: Sources = []

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        del settings_cls, dotenv_settings, file_secret_settings  # the signature is the library's
        # The file's values arrive as arguments, so the environment comes first.
        return env_settings, init_settings


class DataHome:
    """The folders of one data home (design: inbox, lake, vault, quarantine, ledger, warehouse, outputs)."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        self.inbox = self.root / "inbox"
        self.lake = self.root / "lake"
        self.vault = self.root / "vault"
        self.quarantine = self.root / "quarantine"
        self.keys = self.root / "secrets" / "keys.json"
        self.ledger = self.root / "ledger.db"
        self.operations = self.root / "operations.db"
        self.reference = self.root / "reference"
        self.plan_file = self.reference / "run.parquet"
        self.warehouse = self.root / "warehouse.duckdb"
        self.dbt = self.root / "dbt"
        self.basis = self.dbt / "basis"
        self.published = self.root / "published"
        self.registry = self.root / "registry"
        self.outputs = self.root / "outputs"
        self.checks = self.root / "checks"
        self.dagster = self.root / "dagster"
        self.settings_file = self.root / SETTINGS_FILE
        # Only in the scratch home of a rebuild (``rebuild``): which steps of a run are left out there.
        self.past_mark = self.root / "past.json"

    def create(self) -> DataHome:
        """Make the folders that do not exist yet, closed to other users of the machine."""
        for folder in (self.root, self.inbox, self.reference, self.outputs, self.dbt, self.dagster):
            folder.mkdir(parents=True, exist_ok=True)
        self.root.chmod(0o700)
        return self

    def settings(self) -> Settings:
        """Settings of this home; ``SettingsError`` where a key is unknown or a value does not fit."""
        try:
            return Settings(**self._read_file())
        except tomllib.TOMLDecodeError as error:
            raise SettingsError(f"{SETTINGS_FILE} is no valid TOML: {error}") from error
        except ValidationError as error:
            raise SettingsError(_plain(error)) from error

    def _read_file(self) -> dict[str, Any]:
        if not self.settings_file.is_file():
            return {}
        values = tomllib.loads(self.settings_file.read_text(encoding="utf-8"))
        if "password" in values.get("database", {}):
            raise SettingsError(f"{SETTINGS_FILE} holds the database's password: set {PASSWORD_VARIABLE} instead")
        return values

    def bind_records(self) -> DataHome:
        """See that settings and home agree where records lie; a home without any is bound to the database set.

        ``SettingsError`` where they do not: records never begin anew beside those that are there.
        """
        wanted = address_in(self.settings().database)
        bound = address_of(self.root)
        if wanted is None or wanted == bound:
            return self
        if bound is not None and (bound.url, bound.schema) != (wanted.url, wanted.schema):
            raise SettingsError(f"database.url: the records of this home lie in {bound.url}, schema {bound.schema}")
        if bound is None and (self.ledger.exists() or self.operations.exists()):
            raise SettingsError(
                "database.url is set, but the records of this home are files of it: move them with "
                "`zhaoren records move` while it is not set"
            )
        self.root.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_address(self.root, wanted)
        return self


def address_in(database: DatabaseSettings) -> Address | None:
    """The address that the settings name; None where they name none."""
    if database.url is None:
        return None
    return Address(database.url, database.schema_name, str(database.password_file) if database.password_file else None)


def find_home(given: Path | None = None) -> DataHome:
    """The data home: as given, else ZHAOREN_HOME, else ``./var``."""
    return DataHome(given or Path(os.environ.get("ZHAOREN_HOME") or DEFAULT_HOME)).bind_records()


def _plain(error: ValidationError) -> str:
    problems = [
        f"{'.'.join(str(part) for part in item['loc'])}: "
        + ("unknown setting" if item["type"] == "extra_forbidden" else item["msg"])
        for item in error.errors(include_input=False, include_url=False)
    ]
    return f"{SETTINGS_FILE} or ZHAOREN_ variables: " + "; ".join(problems)

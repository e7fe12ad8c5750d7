"""How a source is described in ``zhaoren.toml``: one ``[[source]]`` each, without any secret.

Belongs here: the keys, their defaults and what makes them wrong. Does not belong here: connecting.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal
from urllib.parse import parse_qs, urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PositiveInt,
    StringConstraints,
    field_validator,
    model_validator,
)

from models.codes import load_divisions
from models.contract import load_feeds

# No digits: the name becomes part of file names, in which digits would be read as month or district.
SourceName = Annotated[str, StringConstraints(pattern=r"^[a-z]+(-[a-z]+)*$", max_length=40)]
# For how long rejected files stay in the landing unless a source says otherwise.
KEEP_REJECTED_DAYS = 30
# Kept out of zhaoren.toml wherever an address could carry it.
_SECRET_QUERY_KEYS = {"password", "sslpassword", "passfile"}


def _known_feed(name: str) -> str:
    if name not in load_feeds():
        raise ValueError(f"no feed is called {name}; the feeds are the files of models/feeds")
    return name


FeedName = Annotated[str, AfterValidator(_known_feed)]


class _Strict(BaseModel):
    """Unknown keys are an error that names them and those that are known."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    @model_validator(mode="before")
    @classmethod
    def _no_unknown_key(cls, values: Any) -> Any:
        unknown = sorted(set(values) - set(cls.model_fields)) if isinstance(values, dict) else []
        if unknown:
            raise ValueError(f"unknown {', '.join(unknown)}; known are {', '.join(cls.model_fields)}")
        return values


class _Source(_Strict):
    """What every source has."""

    name: SourceName
    every_minutes: PositiveInt = 15
    attempts: PositiveInt = Field(default=3, le=10)
    timeout_seconds: PositiveInt = 30
    keep_rejected_days: int = Field(default=KEEP_REJECTED_DAYS, ge=0)


class _FolderSource(_Source):
    """A place with folders of files; ``feeds`` maps a feed to its folder, else each folder is named as its feed."""

    feeds: dict[FeedName, str] = {}


class DirectorySource(_FolderSource):
    """A folder of this machine, as a rule a mounted share."""

    kind: Literal["directory"]
    path: Path

    @field_validator("path")
    @classmethod
    def _absolute(cls, path: Path) -> Path:
        if not path.is_absolute():
            raise ValueError("must be an absolute path")
        return path


class S3Source(_FolderSource):
    """An S3-compatible location, ``s3://bucket/prefix``."""

    schemes: ClassVar[tuple[str, ...]] = ("s3",)
    kind: Literal["s3"]
    url: str
    endpoint: str | None = None
    region: str | None = None
    access_key_env: str | None = None
    secret_key_env: str | None = None
    session_token_env: str | None = None
    secrets_file: Path | None = None
    anonymous: bool = False
    ca_file: Path | None = None

    @field_validator("url", "endpoint")
    @classmethod
    def _without_secret(cls, url: str | None) -> str | None:
        return None if url is None else _checked(url, (*cls.schemes, "http", "https"))

    @model_validator(mode="after")
    def _has_credentials(self) -> S3Source:
        if not (self.anonymous or self.secrets_file or (self.access_key_env and self.secret_key_env)):
            raise ValueError("give access_key_env and secret_key_env, or secrets_file, or anonymous = true")
        return self


class SftpSource(_FolderSource):
    """An SFTP location, ``sftp://user@host:port/folder``; the host must stand in ``known_hosts``."""

    kind: Literal["sftp"]
    url: str
    known_hosts: Path
    key_file: Path | None = None
    passphrase_env: str | None = None
    password_env: str | None = None
    secrets_file: Path | None = None

    @field_validator("url")
    @classmethod
    def _without_secret(cls, url: str) -> str:
        checked = _checked(url, ("sftp",))
        if not urlsplit(checked).username or not urlsplit(checked).hostname:
            raise ValueError("must name user and host: sftp://user@host/folder")
        return checked

    @model_validator(mode="after")
    def _has_credentials(self) -> SftpSource:
        if not (self.key_file or self.password_env or self.secrets_file):
            raise ValueError("give key_file, password_env or secrets_file")
        return self


class TableSettings(_Strict):
    """One table, view or query of a database and the feed that it delivers.

    ``month`` names the column of the data month. A snapshot may do without: it then is the state of the month
    before (``open_month = "wait"``) or of the running one (``"deliver"``). ``overlap`` tells how far behind the
    last watermark rows are looked at again: seconds of a time, units of a number.
    """

    feed: FeedName
    table: str | None = None
    query: str | None = None
    watermark: str | None = None
    month: str | None = None
    division: str | None = None
    open_month: Literal["wait", "deliver"] = "wait"
    overlap: int = Field(default=3600, ge=0)

    @field_validator("division")
    @classmethod
    def _known_division(cls, code: str | None) -> str | None:
        if code is not None and code not in {item.short_code for item in load_divisions() if item.level != "city"}:
            raise ValueError("no district of this city")
        return code

    @model_validator(mode="after")
    def _is_complete(self) -> TableSettings:
        if (self.table is None) == (self.query is None):
            raise ValueError("give either table or query")
        if load_feeds()[self.feed].mode == "events" and not (self.month and self.watermark):
            raise ValueError(f"{self.feed} is a feed of events: name its columns of month and watermark")
        return self


class DatabaseSource(_Source):
    """Tables of a PostgreSQL database (or of one that speaks its protocol)."""

    kind: Literal["database"]
    url: str
    password_env: str | None = None
    secrets_file: Path | None = None
    statement_timeout_seconds: PositiveInt = 1800
    batch_megabytes: int = Field(default=16, ge=1, le=256)
    every_minutes: PositiveInt = 60
    table: tuple[TableSettings, ...] = Field(min_length=1)

    @field_validator("url")
    @classmethod
    def _without_secret(cls, url: str) -> str:
        return _checked(url, ("postgresql", "postgres"))


FolderSource = DirectorySource | S3Source | SftpSource
Source = DirectorySource | S3Source | SftpSource | DatabaseSource


def _checked(url: str, schemes: tuple[str, ...]) -> str:
    """The address, if it is one of those schemes and carries no secret; the messages never quote it."""
    try:
        parts = urlsplit(url)
        secret = parts.password is not None or _SECRET_QUERY_KEYS & set(parse_qs(parts.query))
    except ValueError:
        raise ValueError("is no address") from None
    if secret:
        raise ValueError("holds a password; name an environment variable or a secrets file instead")
    if parts.scheme not in schemes:
        raise ValueError(f"must begin with {schemes[0]}://")
    return url


def _distinct(sources: list[Source]) -> list[Source]:
    names = [source.name for source in sources]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"two sources are called {', '.join(twice)}")
    tables = [(table.feed, table.division) for source in sources for table in getattr(source, "table", ())]
    if len(set(tables)) < len(tables):
        raise ValueError("two tables deliver the same feed for the same district; each would replace the other")
    return sources


Sources = Annotated[list[Annotated[Source, Field(discriminator="kind")]], AfterValidator(_distinct)]

"""What assets need from outside of them: the data home with its ledger, vault, settings and plan.

Belongs here: resources only. No rule about people or money.
"""

from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
from pydantic import Field

from orchestration.home.operations import Operations
from orchestration.home.settings import DataHome, Settings
from orchestration.warehouse.run_plan import RunPlan, read_plan

# One writer to the warehouse file: everything that opens it takes a place in this pool of one.
WAREHOUSE_POOL = "warehouse"


class HomeResource(dg.ConfigurableResource[None]):
    """The data home, by its path, and the inbox, by default that of the home."""

    root: str
    inbox: str | None = None
    taken_at: str | None = None
    """When feeds were taken in side by side before this run, which shows what came of it; None where they were not."""
    lost: dict[str, str] = Field(default_factory=dict)
    """Feeds that were not taken in to the end then, and why."""

    @property
    def home(self) -> DataHome:
        return DataHome(Path(self.root))

    @property
    def inbox_folder(self) -> Path:
        return Path(self.inbox) if self.inbox else self.home.inbox

    @property
    def settings(self) -> Settings:
        return self.home.settings()

    @property
    def operations(self) -> Operations:
        return Operations(self.home.operations)

    @property
    def plan(self) -> RunPlan:
        return read_plan(self.home.plan_file)

    def now(self) -> datetime:
        """The time of work, for the ledger and the log; business dates come from the plan."""
        return datetime.now(UTC)

"""Where the policy lies: beside this file, or in the folder that ``ZHAOREN_POLICY`` names.

Belongs here: the place alone. A list of a day gone by is rebuilt under the policy of that day, which a run keeps.
"""

from __future__ import annotations

import os
from pathlib import Path

POLICY_VARIABLE = "ZHAOREN_POLICY"
OWN_DIRECTORY = Path(__file__).parent
POLICY_DIRECTORY = Path(os.environ.get(POLICY_VARIABLE) or OWN_DIRECTORY)

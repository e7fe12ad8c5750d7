"""The policy of a day gone by, read by a program that knows more parameters than it had."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from models.policy.catalogue import POLICY_DIRECTORY
from models.policy.place import POLICY_VARIABLE

CODE = """
from datetime import date
from models.policy import load_parameters, parameter_value
print(len(load_parameters()), parameter_value("small_count_limit", "420702", date(2024, 3, 1)),
      parameter_value("quality_grade_weight", "420702", date(2024, 3, 1), "on_time"))
"""


def test_its_values_count_and_a_parameter_that_came_later_is_the_programs(tmp_path: Path) -> None:
    then = tmp_path / "policy"
    shutil.copytree(POLICY_DIRECTORY, then, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    (then / "parameters" / "quality_grade_weight.yaml").unlink()
    limit = then / "parameters" / "small_count_limit.yaml"
    limit.write_text(limit.read_text(encoding="utf-8").replace("value: 5", "value: 7"), encoding="utf-8")
    environment = {**os.environ, POLICY_VARIABLE: str(then)}
    said = subprocess.run([sys.executable, "-c", CODE], env=environment, capture_output=True, text=True, check=True)
    known = len(list((POLICY_DIRECTORY / "parameters").glob("*.yaml")))
    assert said.stdout.split() == [str(known), "7", "20"]

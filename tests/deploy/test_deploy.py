"""The configurations of ``deploy/``: what their own schemas say, and what a city's service must not be without."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate
import pytest
import typer
import yaml

from orchestration.cli import app
from orchestration.home.settings import DataHome

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
KUBERNETES_VERSION = "1.36"
MANIFESTS = sorted((DEPLOY / "kubernetes").glob("*.yaml"))
OWN = {"code", "daemon", "web"}


def objects() -> Iterator[dict[str, Any]]:
    for file in MANIFESTS:
        yield from yaml.safe_load_all(file.read_text(encoding="utf-8"))


def compose() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
    return found


def templates() -> dict[str, dict[str, Any]]:
    return {
        item["metadata"]["name"]: item["spec"]["template"]["spec"]
        for item in objects()
        if item["kind"] in {"Deployment", "StatefulSet"}
    }


def test_compose_is_what_the_specification_says() -> None:
    schema = json.loads((files("check_jsonschema") / "builtin_schemas/vendor/compose-spec.json").read_text())
    jsonschema.validate(compose(), schema)
    wrong = compose()
    wrong["services"]["web"]["port"] = ["1:1"]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(wrong, schema)


@pytest.mark.parametrize("found", list(objects()), ids=lambda item: f"{item['kind']}-{item['metadata']['name']}")
def test_every_object_is_what_kubernetes_takes(found: dict[str, Any]) -> None:
    kubernetes_validate.validate(found, KUBERNETES_VERSION, strict=True)


def test_the_check_of_objects_finds_a_key_that_kubernetes_does_not_know() -> None:
    wrong = next(item for item in objects() if item["kind"] == "StatefulSet")
    wrong["spec"]["template"]["spec"]["containers"][0]["readOnly"] = True
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, KUBERNETES_VERSION, strict=True)


def test_both_have_the_same_parts_with_the_same_commands() -> None:
    services, pods = compose()["services"], templates()
    assert services.keys() == pods.keys() == OWN | {"database"}
    for name in OWN:
        assert services[name]["command"] == pods[name]["containers"][0]["args"]


@pytest.mark.parametrize("name", sorted(OWN))
def test_commands_are_commands_of_the_program(name: str) -> None:
    group = typer.main.get_command(app)
    words = compose()["services"][name]["command"]
    command = group.commands[words[0]]  # type: ignore[attr-defined]
    assert command.make_context("zhaoren", words[1:]).params["part"] == name


def test_nobody_is_root_nothing_is_written_outside_of_disks_and_everything_is_bounded() -> None:
    for name, pod in templates().items():
        assert pod["securityContext"]["runAsNonRoot"], name
        assert pod["securityContext"]["runAsUser"] > 0
        assert not pod["automountServiceAccountToken"]
        for container in pod["containers"]:
            inside = container["securityContext"]
            assert inside["readOnlyRootFilesystem"], name
            assert not inside["allowPrivilegeEscalation"], name
            assert inside["capabilities"]["drop"] == ["ALL"]
            assert container["resources"]["limits"].keys() == {"cpu", "memory"}
            assert {"readinessProbe", "livenessProbe"} <= container.keys()
            assert ":" in container["image"]
            assert not container["image"].endswith(":latest")
    for name, service in compose()["services"].items():
        assert service["read_only"], name
        assert service["cap_drop"] == ["ALL"]
        assert service["healthcheck"]["test"][0] == "CMD"
        assert service["deploy"]["resources"]["limits"].keys() == {"cpus", "memory"}
        assert name == "database" or not service["user"].startswith(("0", "root"))


def test_there_is_no_way_out_and_no_secret_in_a_file() -> None:
    assert compose()["networks"]["inside"]["internal"]
    assert all(port.startswith("127.0.0.1:") for port in compose()["services"]["web"]["ports"])
    assert {name for name, item in compose()["services"].items() if "ports" in item} == {"web"}
    (policy,) = (item for item in objects() if item["kind"] == "NetworkPolicy")
    assert policy["spec"]["podSelector"] == {}
    assert "Egress" in policy["spec"]["policyTypes"]
    assert all("ipBlock" not in peer for rule in policy["spec"]["egress"] for peer in rule["to"])
    assert not [item for item in objects() if item["kind"] == "Secret"]
    for file in [*MANIFESTS, DEPLOY / "compose.yaml", DEPLOY / "Dockerfile"]:
        assert not re.search(r"(?i)(password|_key):\s*[\"']?[A-Za-z0-9]{8,}", file.read_text(encoding="utf-8"))


def test_settings_that_are_set_there_are_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A key that is unknown is refused by the program itself."""
    (config,) = (item["data"] for item in objects() if item["kind"] == "ConfigMap")
    given = dict(config)
    for service in compose()["services"].values():
        given |= service["environment"]
    names = [name for name in given if name.startswith("ZHAOREN_") and "__" in name]
    assert len(names) >= 5
    for name in names:
        monkeypatch.setenv(name, given[name])
    settings = DataHome(tmp_path).settings()
    assert settings.database.url == "postgresql://zhaoren@database:5432/zhaoren"
    assert settings.limits.memory_limit == "4GB"


def test_the_image_is_what_the_lock_says_and_holds_every_room() -> None:
    text = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    rooms = project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    assert {room for room in rooms if f"COPY {room} {room}\n" in text} == set(rooms)
    assert all("--frozen" in line for line in text.splitlines() if "uv sync" in line)
    assert "\nADD " not in text
    users = re.findall(r"^USER (\S+)", text, re.M)
    assert users
    assert not users[-1].startswith(("0", "root"))
    make = (ROOT / "Makefile").read_text(encoding="utf-8")
    version = re.search(r"^UV_VERSION := (\S+)", make, re.M)
    assert version is not None
    assert f"ARG UV_VERSION={version[1]}\n" in text

from __future__ import annotations

import base64
import json
import re
import subprocess
import zlib
from contextlib import ExitStack
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

import pytest

from interoperability import postgres
from interoperability.environment import OTHERS
from orchestrate.dagster_project import DAGSTER, DagsterProject, milliseconds, past_months
from orchestrate.kubernetes import Cluster
from pipeline.once import assert_each_once
from pipeline.project import MELTANO, ROOT
from sandbox.client import Sandbox

if TYPE_CHECKING:
    from pathlib import Path

EXAMPLES = ROOT / "orchestrate/dagster/examples"
SECRET = "hubspot-to-amplitude"
VALIDATION = """
import json, sys, kubernetes_validate
for job in json.load(sys.stdin):
    kubernetes_validate.validate(job, kubernetes_validate.latest_version(), strict=True)
"""
# Of this test's accounts, and where the database is.
SECRETS = ("sandbox-access-token", "sandbox-api-key", "postgresql://")
LACKING = [
    *([] if (DAGSTER.parent / "kubernetes").exists() else ["Kubernetes: make setup-kubernetes"]),
    *([] if OTHERS.exists() else ["its schema: make .venv-interoperability/ready"]),
    *filter(None, [postgres.missing()]),
]
pytestmark = pytest.mark.skipif(bool(LACKING), reason=f"not installed: {', '.join(LACKING)}")


def test_a_pod_for_each_month_is_what_kubernetes_takes_and_has_secrets_by_name_only(
    tmp_path: Path, database: Path
) -> None:
    months = past_months(2)
    with ExitStack() as closing:
        server, _ = closing.enter_context(postgres.running_postgres())
        sandbox = closing.enter_context(Sandbox(seed=8))
        sandbox.generate(events=200, days=70)
        project = DagsterProject(tmp_path, sandbox, database, first_month=months[0], limit=100)
        names = ("TAP_", "TARGET_", "SECOND_", "MELTANO_")
        secret = {
            "DAGSTER_POSTGRES_URL": server.url(),
            # Of the image.
            "PATH": f"{MELTANO.parent}:/usr/bin:/bin",
            **{k: v for k, v in project.environment.items() if k.startswith(names)},
        }
        cluster = closing.enter_context(Cluster(tmp_path / "pods.txt", {SECRET: secret}))
        use_examples(project, cluster.url)
        project.environment |= {"DAGSTER_POSTGRES_URL": server.url()}

        arguments = ("--from", months[0], "--to", months[1], "--account", "first")
        code = project.start("invoke", "dagster:backfill", *arguments).wait(600)

        output = project.output.read_text("utf-8")
        assert code == 0, output[-3000:] + (tmp_path / "pods.txt").read_text("utf-8")[-3000:]
        assert "2 of 2 loaded" in output
        first, end = milliseconds(months[0]), milliseconds(f"{datetime.now(timezone.utc):%Y-%m}")
        wanted = [event for event in sandbox.hubspot_events() if first <= event["created"] < end]
        assert_each_once(sandbox, more_than=100, events=wanted)
    # A month each, and the step that plans them.
    assert len(cluster.jobs) == 3
    assert_kubernetes_takes(list(cluster.jobs.values()))
    for job in cluster.jobs.values():
        assert_careful(job["spec"]["template"]["spec"])
        assert not [word for word in SECRETS if word in readable(job)]


def assert_kubernetes_takes(jobs: list[dict[str, Any]]) -> None:
    """Each job is one by the schema that Kubernetes publishes, without a field it does not know."""
    subprocess.run(
        [OTHERS / "python", "-c", VALIDATION], input=json.dumps(jobs), text=True, check=True
    )


def assert_careful(pod: dict[str, Any]) -> None:
    """A pod runs as the image's user, within limits, with secrets by reference and a volume."""
    (container,) = pod["containers"]
    assert re.findall(r"^USER (\S+)", (ROOT / "Dockerfile").read_text("utf-8"), re.MULTILINE) == [
        str(pod["securityContext"]["runAsUser"])
    ]
    assert pod["securityContext"]["runAsNonRoot"]
    assert not pod["automountServiceAccountToken"]
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
    }
    assert container["resources"]["limits"].keys() == {"memory"}
    assert container["resources"]["requests"].keys() == {"cpu", "memory"}
    assert container["envFrom"] == [{"secretRef": {"name": SECRET}}]
    (mount,) = container["volumeMounts"]
    (volume,) = pod["volumes"]
    assert mount["name"] == volume["name"]
    assert mount["subPathExpr"] == "$(POD_NAME)"
    assert volume["persistentVolumeClaim"]


def readable(job: dict[str, Any]) -> str:
    """All that a job says, also what Dagster compresses."""
    (container,) = job["spec"]["template"]["spec"]["containers"]
    (packed,) = (each["value"] for each in container["env"] if "COMPRESSED" in each["name"])
    return json.dumps(job) + zlib.decompress(base64.b64decode(packed)).decode()


def use_examples(project: DagsterProject, url: str) -> None:
    """Configure a project as the page has it for Kubernetes, with this test's cluster."""
    kubeconfig = project.folder / "kubeconfig.json"
    cluster = {"name": "test", "cluster": {"server": url}}
    context = {"name": "test", "context": {"cluster": "test", "user": "test"}}
    user = {"name": "test", "user": {}}
    kubeconfig.write_text(
        json.dumps(
            {
                "clusters": [cluster],
                "contexts": [context],
                "users": [user],
                "current-context": "test",
            }
        )
    )
    folder = str(project.folder)
    example = (EXAMPLES / "dagster-kubernetes.yaml").read_text("utf-8")
    outside = f"    load_incluster_config: false\n    kubeconfig_file: {kubeconfig}\n"
    (project.home / "dagster.yaml").write_text(example.replace("/project", folder) + outside)
    accounts = (
        (project.home.parent / "orchestration.yml").read_text("utf-8").partition("executor:")[0]
    )
    example = (EXAMPLES / "kubernetes.yml").read_text("utf-8")
    executor = "".join(example.partition("executor:")[1:]).replace("/project", folder)
    executor = executor.replace("dagster/examples/kubernetes.yml", "dagster/orchestration.yml")
    (project.home.parent / "orchestration.yml").write_text(accounts + executor)

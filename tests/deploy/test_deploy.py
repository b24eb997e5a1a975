"""What deploy/ has, by the tools that read it; and the commands in it start a service."""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import grpc
import pytest
import yaml
from confined import directives
from folders import ROOT, TESTS
from rpc_server import calls_of
from servers import Server, free_port, needed

from rvh.cli.app import command
from rvh.cli.serve import PORT
from rvh.rpc.messages import message

DEPLOY = ROOT / "deploy"
CONTAINERFILE, MANIFEST, UNIT = (
    DEPLOY / name for name in ("Containerfile", "kubernetes.yaml", "rvh.service")
)
SERVE = command().commands["serve"]


def objects() -> dict[tuple[str, str], Any]:
    """The manifest's objects, by kind and name."""
    found = yaml.safe_load_all(MANIFEST.read_text(encoding="utf-8"))
    return {(each["kind"], each["metadata"]["name"]): each for each in found}


def pod() -> Any:
    return objects()["Deployment", "rvh"]["spec"]["template"]["spec"]


def arguments(file: Path) -> list[str]:
    """What a file gives to `rvh serve`."""
    if file == MANIFEST:
        return [*pod()["containers"][0]["args"]]
    program, name, *rest = shlex.split(directives(UNIT)["ExecStart"][0])
    assert (program, name) == ("/opt/rvh/bin/rvh", "serve")
    return rest


def options(file: Path) -> dict[str, Any]:
    """The same, as the command reads it."""
    with SERVE.make_context("rvh serve", arguments(file)) as context:
        return context.params


def run(*words: str | Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "SYSTEMD_COLORS": "0", "NO_COLOR": "1"}
    return subprocess.run(
        [needed(str(words[0])), *map(str, words[1:])],
        capture_output=True,
        text=True,
        env=environment,
    )


def test_hadolint_finds_nothing():
    result = run("hadolint", CONTAINERFILE)
    assert (result.stdout, result.returncode) == ("", 0)


@pytest.mark.parametrize("version", [(), ("-k", "1.30")], ids=["newest", "oldest"])
def test_the_manifest_is_valid(version):
    result = run("kubernetes-validate", "--strict", "--quiet", *version, MANIFEST)
    assert (result.stdout + result.stderr, result.returncode) == ("", 0)


def installed(folder: Path) -> Path:
    """The unit with a program that exists."""
    copy = folder / UNIT.name
    text = UNIT.read_text(encoding="utf-8")
    copy.write_text(text.replace("/opt/rvh/bin/rvh", sys.executable), encoding="utf-8")
    return copy


def test_the_unit_is_valid(tmp_path):
    unit = installed(tmp_path)
    result = run("systemd-analyze", "verify", "--man=no", "--recursive-errors=no", unit)
    assert (result.stdout + result.stderr, result.returncode) == ("", 0)


def test_the_unit_is_hardened(tmp_path):
    # What is left are the network and the host's files, which it reads.
    unit = installed(tmp_path)
    result = run("systemd-analyze", "security", "--offline=true", "--threshold=20", unit)
    assert result.returncode == 0, result.stdout


def test_ports_are_the_same_everywhere():
    for file in (MANIFEST, UNIT):
        assert options(file)["port"] == PORT
    http = options(MANIFEST)["http_port"]
    assert options(UNIT)["http_port"] == http
    exposed = re.findall(r"^EXPOSE (.*)$", CONTAINERFILE.read_text(), re.MULTILINE)
    assert exposed == [f"{PORT} {http}"]

    named = {each["name"]: each["containerPort"] for each in pod()["containers"][0]["ports"]}
    assert named == {"grpc": PORT, "http": http}
    for (kind, _), each in objects().items():
        if kind == "Service":
            for port in each["spec"]["ports"]:
                assert port["port"] == named[port["targetPort"]]
    template = objects()["Deployment", "rvh"]["spec"]["template"]
    assert template["metadata"]["annotations"]["prometheus.io/port"] == str(http)


def test_the_drain_fits_into_the_time_to_end():
    pause = pod()["containers"][0]["lifecycle"]["preStop"]["sleep"]["seconds"]
    late = 5  # seconds until the parent kills a process that does not end
    assert pause + options(MANIFEST)["drain"] + late < pod()["terminationGracePeriodSeconds"]
    assert options(UNIT)["drain"] + late < float(directives(UNIT)["TimeoutStopSec"][0])


def test_objects_fit_together():
    labels = objects()["Deployment", "rvh"]["spec"]["template"]["metadata"]["labels"]
    for (kind, name), each in objects().items():
        if kind == "Service":
            assert each["spec"]["selector"] == labels, name
    budget = objects()["PodDisruptionBudget", "rvh"]["spec"]
    assert budget["selector"]["matchLabels"] == labels
    binding = objects()["RoleBinding", "rvh"]
    assert (binding["roleRef"]["kind"], binding["roleRef"]["name"]) in objects()
    assert ("ServiceAccount", pod()["serviceAccountName"]) in objects()
    assert binding["subjects"] == [{"kind": "ServiceAccount", "name": pod()["serviceAccountName"]}]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with all files that the commands name."""
    folder = tmp_path_factory.mktemp("etc")
    (folder / "nodes.json").write_text('[{"id": "a"}, {"id": "b"}]')
    (folder / "tokens").write_text("a-token-of-this-test\n")
    (folder / "placement-secret").write_text("16 random bytes!\n")
    result = run(
        *("openssl", "req", "-x509", "-nodes", "-days", "1", "-subj", "/CN=localhost"),
        *("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
        *("-addext", "subjectAltName=DNS:localhost", "-addext", "keyUsage=digitalSignature"),
        *("-keyout", folder / "tls.key", "-out", folder / "tls.crt"),
    )
    assert result.returncode == 0, result.stderr
    for each in folder.iterdir():
        each.chmod(0o440)  # as the volumes of the manifest have them
    return folder


def nodes(port: int, files: Path, token: str) -> list[str]:
    """The ids that a server tells a client with this token."""
    credentials = grpc.ssl_channel_credentials((files / "tls.crt").read_bytes())
    with grpc.secure_channel(f"localhost:{port}", credentials) as channel:
        answer = calls_of(channel).GetNodes(
            message("rvh.v1.GetNodesRequest")(),
            metadata=[("authorization", f"Bearer {token}")],
            timeout=10,
        )
    return [each.id for each in answer.nodes]


def confined(*words: str) -> list[str]:
    """A command under the filters of the unit."""
    needed("systemd-analyze")
    return [sys.executable, str(TESTS / "support/confined.py"), str(UNIT), *words]


@pytest.mark.parametrize(
    "refused",
    [
        "import mmap; mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)",
        "import socket; socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)",
        "import os; os.chroot('/')",
    ],
    ids=["executable memory", "another family of sockets", "a privileged call"],
)
def test_the_filters_of_the_unit_refuse(refused):
    result = subprocess.run(
        confined(sys.executable, "-c", refused), stderr=subprocess.PIPE, text=True
    )
    assert "PermissionError" in result.stderr.splitlines()[-1]


@pytest.mark.parametrize("file", [MANIFEST, UNIT], ids=["kubernetes", "systemd"])
def test_its_command_serves_and_ends_in_order(file, files, tmp_path):
    port, http = free_port(), free_port()
    given = " ".join(arguments(file))
    for pattern, here in (
        (r"\$\{RVH_SOURCE\}|k8s://\S+", str(files / "nodes.json")),
        (r"/etc/rvh/(tls|secrets)/|%d/", f"{files}/"),
        (str(PORT), str(port)),
        (str(options(file)["http_port"]), str(http)),
    ):
        given = re.sub(pattern, here, given)
    words = [sys.executable, "-m", "rvh", "serve", *given.split()]
    if file == UNIT:
        words = confined(*words)

    def status(path: str) -> int:
        with urlopen(f"http://127.0.0.1:{http}{path}", timeout=5) as answer:
            return int(answer.status)

    server = Server(words, lambda: status("/healthz") == 200, tmp_path)
    with server.running():
        assert nodes(port, files, "a-token-of-this-test") == ["a", "b"]
        with pytest.raises(grpc.RpcError) as error:
            nodes(port, files, "another")
        assert error.value.code() is grpc.StatusCode.UNAUTHENTICATED
        container = pod()["containers"][0]
        for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
            assert status(container[probe]["httpGet"]["path"]) == 200
        assert server.process is not None
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(15) == 0, (tmp_path / "log").read_text()

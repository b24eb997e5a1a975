"""Build both wheels, look into them, and use the pure one where nothing can be compiled."""

import os
import subprocess
import sys
import tempfile
import venv
from pathlib import Path
from zipfile import ZipFile

SOURCE_ENDINGS = (".pyx", ".pxi", ".pxd", ".c", ".h", ".o", ".a", ".cmake", "CMakeLists.txt")


def build(target: Path, **environment: str) -> Path:
    command = [sys.executable, "-m", "build", "--wheel", "--outdir", str(target)]
    subprocess.run(command, check=True, env=os.environ | environment, stdout=subprocess.DEVNULL)
    (wheel,) = target.iterdir()
    return wheel


def names(wheel: Path) -> list[str]:
    found = ZipFile(wheel).namelist()
    left_over = [name for name in found if name.endswith(SOURCE_ENDINGS)]
    assert not left_over, f"{wheel.name} holds build leftovers: {left_over}"
    assert "rvh/py.typed" in found, f"{wheel.name} has no py.typed"
    assert {"rvh/observe/alerts.yml", "rvh/observe/grafana.json"} <= {*found}, wheel.name
    assert "rvh/rpc/alerts.yml" in found, wheel.name
    assert {f"rvh/report/report.{kind}" for kind in ("css", "html", "js")} <= {*found}, wheel.name
    # Generated code works with one major version of protobuf.
    assert not [name for name in found if "_pb2" in name], f"{wheel.name} holds generated code"
    wanted = {"rvh/rpc/service.binpb", "rvh/rpc/protos/rvh/v1/selection.proto"}
    assert wanted <= {*found}, f"{wheel.name} lacks the messages of the service"
    assert "rvh/_backend/_native.pyi" in found, f"{wheel.name} has no stub for the compiled module"
    assert any(name.endswith("licenses/LICENSE") for name in found), f"{wheel.name} has no licence"
    return found


with tempfile.TemporaryDirectory() as folder:
    native = build(Path(folder, "native"))
    assert any("_native." in name and not name.endswith(".pyi") for name in names(native))
    pure = build(Path(folder, "pure"), RVH_PURE="1", CC="false")
    assert pure.name.endswith("-py3-none-any.whl"), pure.name
    assert not any(name.endswith((".so", ".pyd")) for name in names(pure))

    home = Path(folder, "venv")
    venv.create(home, with_pip=True)
    python = str(home / "bin" / "python")
    subprocess.run([python, "-m", "pip", "install", "--quiet", str(pure)], check=True)
    code = "import rvh; print(rvh.backend(), rvh.rendezvous_hash(['node1', 'node2'], 'obj', 2))"
    done = subprocess.run([python, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout == "python ['node1', 'node2']\n", done.stdout
    assert done.stderr.count("RuntimeWarning") == 1, done.stderr

print(f"{native.name}: no leftovers\n{pure.name}: works, with one warning")

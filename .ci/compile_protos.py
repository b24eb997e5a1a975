"""Compile protos/ to the descriptor set that rvh.rpc reads: python .ci/compile_protos.py FILE."""

import sys
from importlib.util import find_spec
from pathlib import Path

from grpc_tools import protoc

PROTOS = Path(__file__).parents[1] / "src" / "rvh" / "rpc" / "protos"
FILES = (
    "rvh/v1/selection.proto",
    "grpc/health/v1/health.proto",
    "grpc/reflection/v1/reflection.proto",
    "grpc/reflection/v1alpha/reflection.proto",
    # With these in the set a gateway writes the details of an error into its body.
    "google/rpc/error_details.proto",
    "google/rpc/status.proto",
)


def folder_above(package: str) -> str:
    """The folder that a package of .proto files, such as google.rpc, is installed in."""
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        sys.exit(f"{package} is not installed: pip install '.[test]'")
    return str(Path(spec.submodule_search_locations[0]).parents[package.count(".")])


sys.exit(
    protoc.main(
        [
            "protoc",
            f"-I{PROTOS}",
            f"-I{folder_above('google.rpc')}",
            f"-I{folder_above('grpc_tools')}/grpc_tools/_proto",
            "--include_imports",
            f"--descriptor_set_out={sys.argv[1]}",
            *FILES,
        ]
    )
)

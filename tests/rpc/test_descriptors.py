"""The descriptor set: what it is made of, and messages made with it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from folders import ROOT
from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorSet

import rvh
from rvh.rpc.messages import descriptor_set, files, message, pool

OURS = ("rvh/", "grpc/")
#: values that are not zero, by the type of a field
VALUES = {
    FieldDescriptorProto.TYPE_STRING: "größe",
    FieldDescriptorProto.TYPE_BYTES: b"\x00\xff",
    FieldDescriptorProto.TYPE_BOOL: True,
    FieldDescriptorProto.TYPE_ENUM: 1,
    FieldDescriptorProto.TYPE_DOUBLE: 0.1,
    FieldDescriptorProto.TYPE_SFIXED64: -(2**63),
    FieldDescriptorProto.TYPE_FIXED64: 2**64 - 1,
    FieldDescriptorProto.TYPE_UINT64: 2**64 - 1,
    FieldDescriptorProto.TYPE_FIXED32: 2**32 - 1,
    FieldDescriptorProto.TYPE_UINT32: 2**32 - 1,
    FieldDescriptorProto.TYPE_INT32: -(2**31),
}
NAMES = [
    f"{file.package}.{each.name}"
    for file in files()
    if file.name.startswith(OURS)
    for each in file.message_type
]
REPEATED = FieldDescriptorProto.LABEL_REPEATED


def filled(name: str, field: Any) -> Any:
    """A message with one field in it."""
    made = message(name)()
    if field.type == FieldDescriptorProto.TYPE_MESSAGE:
        if field.type_name.endswith("Entry"):
            getattr(made, field.name)["label"] = "value"
        elif field.label == REPEATED:
            getattr(made, field.name).add()
        else:
            getattr(made, field.name).SetInParent()
    elif field.label == REPEATED:
        getattr(made, field.name).extend([VALUES[field.type]] * 2)
    else:
        setattr(made, field.name, VALUES[field.type])
    return made


@pytest.mark.parametrize("name", NAMES)
def test_each_field_of_a_message_comes_back(name: str) -> None:
    (declared,) = (
        each
        for file in files()
        for each in file.message_type
        if f"{file.package}.{each.name}" == name
    )
    for field in declared.field:
        made = filled(name, field)
        data = made.SerializeToString()
        assert data, field.name
        back = message(name).FromString(data)
        assert back == made
        assert [each.name for each, _ in back.ListFields()] == [field.name]
    assert message(name)().SerializeToString() == b""


def test_the_pool_has_what_gateways_need() -> None:
    for name in ("google.rpc.BadRequest", "google.rpc.Status", "google.protobuf.Any"):
        assert pool().FindMessageTypeByName(name).full_name == name


def test_it_is_what_the_proto_files_say(tmp_path: Path) -> None:
    """Of files that are not ours another version may be installed."""
    pytest.importorskip("grpc_tools", reason="grpcio-tools is not installed")
    target = tmp_path / "set"
    script = ROOT / ".ci" / "compile_protos.py"
    subprocess.run([sys.executable, str(script), str(target)], check=True, timeout=120)

    def ours(data: bytes) -> dict[str, Any]:
        found = FileDescriptorSet.FromString(data).file
        return {file.name: file for file in found if file.name.startswith(OURS)}

    compiled = ours(target.read_bytes())
    assert len(compiled) == 4
    assert ours(descriptor_set()) == compiled, "nox -s protos, then commit service.binpb"


def test_no_generated_code_is_kept() -> None:
    """It works with one major version of protobuf."""
    for folder in (Path(rvh.__file__).parent, ROOT / "src"):
        assert list(folder.rglob("*_pb2*")) == []

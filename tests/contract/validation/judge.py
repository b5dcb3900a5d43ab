"""Judges messages by the rules of buf.validate in a descriptor set, with protovalidate.

    judge.py SET ASKED

ASKED has a line for each message: the name of its type, a blank, the message in base64. For each one a line of JSON
comes out: {"paths": [...]} with the fields that break a rule, or {"error": "..."} when the message cannot be judged.
"""

import base64
import json
import sys
import tempfile
from pathlib import Path

try:
    import protovalidate
except ModuleNotFoundError:
    # protovalidate 1, which is what runs on Python 3.10, comes without the messages of its rules.
    import grpc_tools
    from grpc_tools import protoc

    protos = Path(__file__).resolve().parents[3] / "proto" / "third_party"
    known = Path(grpc_tools.__file__).parent / "_proto"
    generated = tempfile.TemporaryDirectory()
    command = ["protoc", f"-I{protos}", f"-I{known}", f"--python_out={generated.name}", "buf/validate/validate.proto"]
    if protoc.main(command):
        sys.exit("buf/validate/validate.proto cannot be compiled")
    sys.path.insert(0, generated.name)
    import protovalidate
from google.protobuf import descriptor_pb2, descriptor_pool, message, message_factory


def path_of(violation):
    """The field as a path: line_items[0].sku. Empty for the message itself."""
    parts = []
    field = violation.proto.field
    for element in field.elements if field else []:
        index = index_of(element)
        parts.append(element.field_name + (f"[{index}]" if index is not None else ""))
    return ".".join(parts)


def index_of(element):
    """The index of an element of a list; protovalidate 1 (Python 3.10) and 2 have it in messages of their own kinds."""
    if hasattr(element, "WhichOneof"):
        return element.index if element.WhichOneof("subscript") == "index" else None
    subscript = element.subscript
    return subscript.value if subscript is not None and subscript.field == "index" else None


def main():
    pool = descriptor_pool.DescriptorPool()
    with open(sys.argv[1], "rb") as file:
        for proto in descriptor_pb2.FileDescriptorSet.FromString(file.read()).file:
            pool.Add(proto)
    validator = protovalidate.Validator()
    classes = {}
    with open(sys.argv[2], encoding="ascii") as asked:
        for line in asked:
            name, _, encoded = line.rstrip("\n").partition(" ")
            if name not in classes:
                classes[name] = message_factory.GetMessageClass(pool.FindMessageTypeByName(name))
            try:
                judged = classes[name].FromString(base64.b64decode(encoded))
                found = validator.collect_violations(judged)
                answer = {"paths": sorted({path_of(violation) for violation in found})}
            except (message.DecodeError, protovalidate.CompilationError, protovalidate.EvaluationError) as error:
                answer = {"error": f"{type(error).__name__}: {error}"}
            print(json.dumps(answer))


main()

"""What the server says when it refuses: a code, and details that a program can act on."""

from collections.abc import Callable
from typing import TypeVar

import grpc
from google.protobuf.message import Message
from grpc_status import rpc_status

Detail = TypeVar("Detail", bound=Message)


def refusal(call: Callable[[], object], code: grpc.StatusCode) -> grpc.RpcError:
    """Makes a call that has to be refused with `code`; gives the refusal."""
    try:
        answer = call()
    except grpc.RpcError as error:
        if error.code() != code:
            raise
        return error
    raise AssertionError(f"{code} was expected, not the answer {answer}")


def detail(error: grpc.RpcError, kind: type[Detail]) -> Detail:
    """The detail of this kind in the trailer grpc-status-details-bin."""
    status = rpc_status.from_call(error)
    for packed in status.details if status else []:
        found = kind()
        if packed.Unpack(found):
            return found
    raise AssertionError(f"no {kind.DESCRIPTOR.full_name} in {status}")

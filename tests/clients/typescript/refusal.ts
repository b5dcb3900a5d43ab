// What the server says when it refuses: a code, and details that a program can act on.

import { fromBinary, type DescMessage, type MessageShape } from "@bufbuild/protobuf";
import { anyUnpack } from "@bufbuild/protobuf/wkt";
import { status, type ServiceError } from "@grpc/grpc-js";
import { StatusSchema } from "./generated/google/rpc/status_pb.js";

/** Waits for a call that has to be refused with `code`; gives the refusal. */
export async function refusal(call: Promise<unknown>, code: status): Promise<ServiceError> {
  let answer;
  try {
    answer = await call;
  } catch (error) {
    if (isServiceError(error) && error.code === code) return error;
    throw error;
  }
  throw new Error(`${status[code]} was expected, not the answer ${JSON.stringify(answer, plain)}`);
}

/** The detail of this kind in the trailer grpc-status-details-bin. */
export function detail<Kind extends DescMessage>(error: ServiceError, kind: Kind): MessageShape<Kind> {
  for (const bytes of error.metadata.get("grpc-status-details-bin")) {
    for (const packed of fromBinary(StatusSchema, bytes as Buffer).details) {
      const found = anyUnpack(packed, kind);
      if (found) return found;
    }
  }
  throw new Error(`no ${kind.typeName} in ${error}`);
}

/** Fails with what was seen, unless `holds`. */
export function expect(holds: boolean, shown: unknown): asserts holds {
  if (!holds) throw new Error(`not as expected: ${JSON.stringify(shown, plain)}`);
}

function isServiceError(error: unknown): error is ServiceError {
  return error instanceof Error && "code" in error && "metadata" in error;
}

/** JSON knows no bigint. */
function plain(_: string, value: unknown): unknown {
  return typeof value === "bigint" ? value.toString() : value;
}

// What the server says when it refuses: a code, and details that a program can act on.

import type { DescMessage, MessageShape } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { ErrorInfoSchema, type ErrorInfo } from "./generated/google/rpc/error_details_pb.js";

/** Waits for a call that has to be refused with `code`; gives the refusal. */
export async function refusal(call: Promise<unknown>, code: Code): Promise<ConnectError> {
  let answer;
  try {
    answer = await call;
  } catch (error) {
    if (error instanceof ConnectError && error.code === code) return error;
    throw error;
  }
  throw new Error(`${Code[code]} was expected, not the answer ${shown(answer)}`);
}

/** The detail of this kind in the trailer grpc-status-details-bin. */
export function detail<Kind extends DescMessage>(error: ConnectError, kind: Kind): MessageShape<Kind> {
  const [found] = error.findDetails(kind);
  if (!found) throw new Error(`no ${kind.typeName} in ${error}`);
  return found;
}

/** Every refusal carries a stable reason of the domain `orders`. */
export function expectReason(error: ConnectError, reason: string): ErrorInfo {
  const info = detail(error, ErrorInfoSchema);
  expect(info.domain === "orders" && info.reason === reason, info);
  return info;
}

/** Fails with what was seen, unless `holds`. */
export function expect(holds: boolean, seen: unknown): asserts holds {
  if (!holds) throw new Error(`not as expected: ${shown(seen)}`);
}

/** As JSON, which knows no bigint. */
function shown(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) => (typeof part === "bigint" ? part.toString() : part));
}

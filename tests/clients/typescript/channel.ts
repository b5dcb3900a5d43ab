// Typed calls: the messages of protobuf-es over the channel of grpc-js.
//
// grpc-js is gRPC's own implementation for Node, and the one that honours a service config; protobuf-es generates the
// messages, the same ones as for browsers.

import {
  create,
  fromBinary,
  toBinary,
  type DescMessage,
  type DescMethodServerStreaming,
  type DescMethodUnary,
  type MessageInitShape,
  type MessageShape,
} from "@bufbuild/protobuf";
import { Client, credentials, Metadata, status, type CallOptions, type ClientReadableStream } from "@grpc/grpc-js";

/** The answer to a call, and the trailers that came after it. */
export interface Answer<Message> {
  message: Message;
  trailers: Metadata;
}

/** A channel to one server. */
export class Channel extends Client {
  /**
   * Opens a channel to `host:port`.
   *
   * `serviceConfig` is the text of orders_grpc_service_config.json. With it gRPC itself sets each method's timeout, and
   * sends again what may be sent again; without it, neither.
   */
  constructor(address: string, serviceConfig?: string) {
    super(address, credentials.createInsecure(), serviceConfig ? { "grpc.service_config": serviceConfig } : {});
  }

  /** Calls a method with one answer. A refusal rejects with grpc-js' ServiceError. */
  unary<I extends DescMessage, O extends DescMessage>(
    method: DescMethodUnary<I, O>,
    request: MessageInitShape<I>,
    options: CallOptions = {},
  ): Promise<Answer<MessageShape<O>>> {
    return new Promise((resolve, reject) => {
      let message: MessageShape<O> | undefined;
      const call = this.makeUnaryRequest<MessageInitShape<I>, MessageShape<O>>(
        path(method),
        (value) => Buffer.from(toBinary(method.input, create(method.input, value))),
        (bytes) => fromBinary(method.output, bytes),
        request,
        new Metadata(),
        options,
        (error, value) => (error ? reject(error) : (message = value)),
      );
      // The trailers come with the status, after the answer.
      call.on("status", ({ code, metadata }) => {
        if (code === status.OK && message) resolve({ message, trailers: metadata });
      });
    });
  }

  /** Calls a method with a stream of answers: iterate over it. A refusal throws grpc-js' ServiceError. */
  stream<I extends DescMessage, O extends DescMessage>(
    method: DescMethodServerStreaming<I, O>,
    request: MessageInitShape<I>,
    options: CallOptions = {},
  ): ClientReadableStream<MessageShape<O>> & AsyncIterable<MessageShape<O>> {
    return this.makeServerStreamRequest<MessageInitShape<I>, MessageShape<O>>(
      path(method),
      (value) => Buffer.from(toBinary(method.input, create(method.input, value))),
      (bytes) => fromBinary(method.output, bytes),
      request,
      new Metadata(),
      options,
    );
  }
}

function path(method: { parent: { typeName: string }; name: string }): string {
  return `/${method.parent.typeName}/${method.name}`;
}

// A tour of the order service: place an order, follow it to its end, and meet its refusals.
//
//     node generated/tour.js ADDRESS FLAKY_ADDRESS SERVICE_CONFIG SEED
//
// ADDRESS is the server's. At FLAKY_ADDRESS is the same server behind something that turns calls away at first, for the
// step `retry`; `-` leaves that step out. SERVICE_CONFIG is the file orders_grpc_service_config.json, and SEED what the
// ids begin with: another one for each run. Prints a line for each step; exits with 0 when all of them hold.

import { equals } from "@bufbuild/protobuf";
import { status, type ServiceError } from "@grpc/grpc-js";
import { readFileSync } from "node:fs";
import { Channel } from "./channel.js";
import {
  BadRequestSchema,
  ErrorInfoSchema,
  PreconditionFailureSchema,
  ResourceInfoSchema,
} from "./generated/google/rpc/error_details_pb.js";
import { InventoryService } from "./generated/orders/v1/inventory_service_pb.js";
import { OrderEventSchema } from "./generated/orders/v1/order_event_pb.js";
import { Command, OrderState } from "./generated/orders/v1/order_pb.js";
import { OrderService, type WatchOrderResponse } from "./generated/orders/v1/order_service_pb.js";
import { detail, expect, refusal } from "./refusal.js";
import { preOrder } from "./samples.js";

const { placeOrder, getOrder, watchOrder, cancelOrder } = OrderService.method;

/** In milliseconds, and longer than anything here takes: a watch without a deadline waits for ever. */
const PATIENCE = 30_000;

/** The steps. */
class Tour {
  constructor(
    private readonly channel: Channel,
    private readonly seed: string,
  ) {}

  async stock(): Promise<void> {
    const { message } = await this.channel.unary(InventoryService.method.setStockItem, {
      requestId: `${this.seed}-stock`,
      stockItem: { sku: `${this.seed}-sku`, onHand: 10n },
    });
    expect(message.stockItem?.available === 10n, message);
    say("stock", `10 pieces of ${message.stockItem.sku}`);
  }

  async place(): Promise<string> {
    const { message, trailers } = await this.channel.unary(placeOrder, preOrder(this.seed, "first"));
    expect(message.order?.state === OrderState.PLACED && message.order.revision === 1n, message);
    expect(trailers.get("orders-replayed").length === 0, trailers);
    say("place", message.order.orderId);
    return message.order.orderId;
  }

  /** The same request once more has no second effect, and the trailer says so. */
  async replay(orderId: string): Promise<void> {
    const { message, trailers } = await this.channel.unary(placeOrder, preOrder(this.seed, "first"));
    expect(message.order?.orderId === orderId, message);
    expect(trailers.get("orders-replayed").join() === "true", trailers);
    say("replay", "orders-replayed: true");
  }

  /** Follows the order while other calls, on the same channel, send each command as soon as it is allowed. */
  async watch(orderId: string): Promise<WatchOrderResponse[]> {
    const stream = this.channel.stream(watchOrder, { orderId }, { deadline: Date.now() + PATIENCE });
    const ended = new Promise<status>((resolve) => stream.on("status", ({ code }) => resolve(code)));
    const seen: WatchOrderResponse[] = [];
    const sent = new Map<Command, Promise<unknown>>();
    for await (const answer of stream) {
      if (answer.heartbeat) continue;
      seen.push(answer);
      for (const command of answer.order?.allowedCommands ?? []) {
        if (!sent.has(command)) sent.set(command, this.send(command, orderId));
      }
    }
    await Promise.all(sent.values());
    expect((await ended) === status.OK, await ended);

    seen.forEach(({ event, order }, index) => {
      expect(event?.revision === BigInt(index + 1) && order?.revision === event.revision, { event, order });
      expect((order.closeTime !== undefined) === (index === seen.length - 1), order);
    });
    const last = seen.at(-1)?.order;
    expect(last?.state === OrderState.COMPLETED, last);
    say("watch", `${seen.length} events, each once and in order, until COMPLETED`);
    return seen;
  }

  /** Sends a command that brings the order further, and leaves out the others. */
  private async send(command: Command, orderId: string): Promise<void> {
    const { startFulfillment, confirmPickup, confirmDelivery } = OrderService.method;
    switch (command) {
      case Command.START_FULFILLMENT:
        await this.channel.unary(startFulfillment, { orderId, requestId: `${this.seed}-start` });
        break;
      case Command.CONFIRM_PICKUP:
        await this.channel.unary(confirmPickup, { orderId, requestId: `${this.seed}-pickup` });
        break;
      case Command.CONFIRM_DELIVERY:
        await this.channel.unary(confirmDelivery, { orderId, requestId: `${this.seed}-delivery` });
        break;
    }
  }

  /** A watch that broke goes on after the last revision that arrived, and misses nothing. */
  async resume(orderId: string, seen: WatchOrderResponse[]): Promise<void> {
    const middle = Math.floor(seen.length / 2);
    const request = { orderId, afterRevision: BigInt(middle) };
    const rest = await all(this.channel.stream(watchOrder, request, { deadline: Date.now() + PATIENCE }));
    expect(rest.length === seen.length - middle, rest);
    rest.forEach(({ event }, index) => {
      const before = seen[middle + index]?.event;
      expect(event !== undefined && before !== undefined && equals(OrderEventSchema, event, before), event);
    });
    say("resume", `after revision ${middle} the other ${rest.length} events`);
  }

  /** A request that can never be right is told every field that is wrong, at once. */
  async invalid(): Promise<void> {
    const good = preOrder(this.seed, "invalid");
    const bad = {
      ...good,
      customerId: "",
      lineItems: good.lineItems.map((item) => ({ ...item, quantity: 0n })),
      shippingAddress: { ...good.shippingAddress, countryCode: "USA" },
    };
    const error = await refusal(this.channel.unary(placeOrder, bad), status.INVALID_ARGUMENT);
    expectReason(error, "INVALID_REQUEST");
    const fields = detail(error, BadRequestSchema).fieldViolations.map(({ field }) => field);
    const wrong = ["customer_id", "line_items[0].quantity", "shipping_address.country_code"];
    expect(fields.sort().join() === wrong.join(), fields);
    say("invalid", fields.join(", "));
  }

  /** A command at the wrong moment is told where the order stands, and what it would take instead. */
  async precondition(orderId: string): Promise<void> {
    const request = { orderId, requestId: `${this.seed}-cancel` };
    const error = await refusal(this.channel.unary(cancelOrder, request), status.FAILED_PRECONDITION);
    const { metadata } = expectReason(error, "COMMAND_NOT_ALLOWED");
    expect(metadata["state"] === "ORDER_STATE_COMPLETED", metadata);
    expect(metadata["command"] === "COMMAND_CANCEL_ORDER", metadata);
    expect(metadata["allowed_commands"] === "", metadata);
    const { violations } = detail(error, PreconditionFailureSchema);
    const [violation] = violations;
    expect(violation !== undefined && violations.length === 1, violations);
    expect(violation.type === "ORDER_STATE" && violation.subject === `orders/${orderId}`, violation);
    say("precondition", violation.description);
  }

  async notFound(): Promise<void> {
    const orderId = `${this.seed}-nobody`;
    const error = await refusal(this.channel.unary(getOrder, { orderId }), status.NOT_FOUND);
    expectReason(error, "ORDER_NOT_FOUND");
    const resource = detail(error, ResourceInfoSchema);
    expect(resource.resourceType === "orders.v1.Order" && resource.resourceName === orderId, resource);
    say("not-found", resource.description);
  }

  /** An order that stands still outlasts the time of its watcher. */
  async deadline(): Promise<void> {
    const { message } = await this.channel.unary(placeOrder, preOrder(this.seed, "still"));
    const request = { orderId: message.order?.orderId };
    const stream = this.channel.stream(watchOrder, request, { deadline: Date.now() + 300 });
    await refusal(all(stream), status.DEADLINE_EXCEEDED);
    say("deadline", "DEADLINE_EXCEEDED after 300 ms");
  }
}

/** What is turned away at first gets through with the service config, and only with it. */
async function retry(address: string, serviceConfig: string, seed: string): Promise<void> {
  const request = preOrder(seed, "retried");
  const bare = new Channel(address);
  await refusal(bare.unary(placeOrder, request), status.UNAVAILABLE);
  bare.close();

  const channel = new Channel(address, serviceConfig);
  const { message } = await channel.unary(placeOrder, request);
  expect(message.order?.orderId === request.orderId, message);
  channel.close();
  say("retry", "placed by the service config, UNAVAILABLE without");
}

/** Everything that a stream brings until it ends. */
async function all<Message>(stream: AsyncIterable<Message>): Promise<Message[]> {
  const messages = [];
  for await (const message of stream) messages.push(message);
  return messages;
}

/** Every refusal carries a stable reason of the domain `orders`. */
function expectReason(error: ServiceError, reason: string) {
  const info = detail(error, ErrorInfoSchema);
  expect(info.domain === "orders" && info.reason === reason, info);
  return info;
}

function say(step: string, text: string): void {
  console.log(`${step}: ${text}`);
}

const [address, flakyAddress, serviceConfigFile, seed] = process.argv.slice(2);
if (!address || !flakyAddress || !serviceConfigFile || !seed) {
  throw new Error("usage: tour.js ADDRESS FLAKY_ADDRESS SERVICE_CONFIG SEED");
}
const serviceConfig = readFileSync(serviceConfigFile, "utf8");
const channel = new Channel(address, serviceConfig);
const tour = new Tour(channel, seed);
await tour.stock();
const orderId = await tour.place();
await tour.replay(orderId);
const seen = await tour.watch(orderId);
await tour.resume(orderId, seen);
await tour.invalid();
await tour.precondition(orderId);
await tour.notFound();
await tour.deadline();
channel.close();
if (flakyAddress !== "-") await retry(flakyAddress, serviceConfig, seed);

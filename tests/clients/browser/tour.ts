// A tour of the order service: place an order, follow it to its end, and meet its refusals.
//
// gRPC-Web knows no service config: a page that is told UNAVAILABLE has to send the same request_id again by itself.

import { equals } from "@bufbuild/protobuf";
import { Code, createClient, type Client, type Transport } from "@connectrpc/connect";
import {
  BadRequestSchema,
  PreconditionFailureSchema,
  ResourceInfoSchema,
} from "./generated/google/rpc/error_details_pb.js";
import { InventoryService } from "./generated/orders/v1/inventory_service_pb.js";
import { OrderEventSchema } from "./generated/orders/v1/order_event_pb.js";
import { Command, OrderState } from "./generated/orders/v1/order_pb.js";
import { OrderService, type WatchOrderResponse } from "./generated/orders/v1/order_service_pb.js";
import { detail, expect, expectReason, refusal } from "./refusal.js";
import { preOrder } from "./samples.js";

/** In milliseconds, and longer than anything here takes: a watch without a deadline waits for ever. */
const PATIENCE = 30_000;

/** The steps. Each says what it saw. */
export class Tour {
  private readonly orders: Client<typeof OrderService>;
  private readonly inventory: Client<typeof InventoryService>;

  constructor(
    transport: Transport,
    private readonly seed: string,
    private readonly say: (step: string, text: string) => void,
  ) {
    this.orders = createClient(OrderService, transport);
    this.inventory = createClient(InventoryService, transport);
  }

  async run(): Promise<void> {
    await this.stock();
    const orderId = await this.place();
    await this.replay(orderId);
    const seen = await this.watch(orderId);
    await this.resume(orderId, seen);
    await this.invalid();
    await this.precondition(orderId);
    await this.notFound();
    await this.deadline();
  }

  private async stock(): Promise<void> {
    const { stockItem } = await this.inventory.setStockItem({
      requestId: `${this.seed}-stock`,
      stockItem: { sku: `${this.seed}-sku`, onHand: 10n },
    });
    expect(stockItem?.available === 10n, stockItem);
    this.say("stock", `10 pieces of ${stockItem.sku}`);
  }

  private async place(): Promise<string> {
    let trailers = new Headers();
    const onTrailer = (came: Headers) => (trailers = came);
    const { order } = await this.orders.placeOrder(preOrder(this.seed, "first"), { onTrailer });
    expect(order?.state === OrderState.PLACED && order.revision === 1n, order);
    expect(!trailers.has("orders-replayed"), [...trailers]);
    this.say("place", order.orderId);
    return order.orderId;
  }

  /** The same request once more has no second effect, and the trailer says so. */
  private async replay(orderId: string): Promise<void> {
    let trailers = new Headers();
    const onTrailer = (came: Headers) => (trailers = came);
    const { order } = await this.orders.placeOrder(preOrder(this.seed, "first"), { onTrailer });
    expect(order?.orderId === orderId, order);
    expect(trailers.get("orders-replayed") === "true", [...trailers]);
    this.say("replay", "orders-replayed: true");
  }

  /** Follows the order while other calls send each command as soon as it is allowed. */
  private async watch(orderId: string): Promise<WatchOrderResponse[]> {
    const seen: WatchOrderResponse[] = [];
    const sent = new Map<Command, Promise<void>>();
    // A stream that ends otherwise than with OK throws.
    for await (const answer of this.orders.watchOrder({ orderId }, { timeoutMs: PATIENCE })) {
      if (answer.heartbeat) continue;
      seen.push(answer);
      for (const command of answer.order?.allowedCommands ?? []) {
        if (!sent.has(command)) sent.set(command, this.send(command, orderId));
      }
    }
    await Promise.all(sent.values());

    seen.forEach(({ event, order }, index) => {
      expect(event?.revision === BigInt(index + 1) && order?.revision === event.revision, { event, order });
      expect((order.closeTime !== undefined) === (index === seen.length - 1), order);
    });
    const last = seen.at(-1)?.order;
    expect(last?.state === OrderState.COMPLETED, last);
    this.say("watch", `${seen.length} events, each once and in order, until COMPLETED`);
    return seen;
  }

  /** Sends a command that brings the order further, and leaves out the others. */
  private async send(command: Command, orderId: string): Promise<void> {
    switch (command) {
      case Command.START_FULFILLMENT:
        await this.orders.startFulfillment({ orderId, requestId: `${this.seed}-start` });
        break;
      case Command.CONFIRM_PICKUP:
        await this.orders.confirmPickup({ orderId, requestId: `${this.seed}-pickup` });
        break;
      case Command.CONFIRM_DELIVERY:
        await this.orders.confirmDelivery({ orderId, requestId: `${this.seed}-delivery` });
        break;
    }
  }

  /** A watch that broke goes on after the last revision that arrived, and misses nothing. */
  private async resume(orderId: string, seen: WatchOrderResponse[]): Promise<void> {
    const middle = Math.floor(seen.length / 2);
    const request = { orderId, afterRevision: BigInt(middle) };
    const rest = await all(this.orders.watchOrder(request, { timeoutMs: PATIENCE }));
    expect(rest.length === seen.length - middle, rest);
    rest.forEach(({ event }, index) => {
      const before = seen[middle + index]?.event;
      expect(event !== undefined && before !== undefined && equals(OrderEventSchema, event, before), event);
    });
    this.say("resume", `after revision ${middle} the other ${rest.length} events`);
  }

  /** A request that can never be right is told every field that is wrong, at once. */
  private async invalid(): Promise<void> {
    const good = preOrder(this.seed, "invalid");
    const bad = {
      ...good,
      customerId: "",
      lineItems: good.lineItems.map((item) => ({ ...item, quantity: 0n })),
      shippingAddress: { ...good.shippingAddress, countryCode: "USA" },
    };
    const error = await refusal(this.orders.placeOrder(bad), Code.InvalidArgument);
    expectReason(error, "INVALID_REQUEST");
    const fields = detail(error, BadRequestSchema).fieldViolations.map(({ field }) => field);
    const wrong = ["customer_id", "line_items[0].quantity", "shipping_address.country_code"];
    expect(fields.sort().join() === wrong.join(), fields);
    this.say("invalid", fields.join(", "));
  }

  /** A command at the wrong moment is told where the order stands, and what it would take instead. */
  private async precondition(orderId: string): Promise<void> {
    const request = { orderId, requestId: `${this.seed}-cancel` };
    const error = await refusal(this.orders.cancelOrder(request), Code.FailedPrecondition);
    const { metadata } = expectReason(error, "COMMAND_NOT_ALLOWED");
    expect(metadata["state"] === "ORDER_STATE_COMPLETED", metadata);
    expect(metadata["command"] === "COMMAND_CANCEL_ORDER", metadata);
    expect(metadata["allowed_commands"] === "", metadata);
    const { violations } = detail(error, PreconditionFailureSchema);
    const [violation] = violations;
    expect(violation !== undefined && violations.length === 1, violations);
    expect(violation.type === "ORDER_STATE" && violation.subject === `orders/${orderId}`, violation);
    this.say("precondition", violation.description);
  }

  private async notFound(): Promise<void> {
    const orderId = `${this.seed}-nobody`;
    const error = await refusal(this.orders.getOrder({ orderId }), Code.NotFound);
    expectReason(error, "ORDER_NOT_FOUND");
    const resource = detail(error, ResourceInfoSchema);
    expect(resource.resourceType === "orders.v1.Order" && resource.resourceName === orderId, resource);
    this.say("not-found", resource.description);
  }

  /** An order that stands still outlasts the time of its watcher. */
  private async deadline(): Promise<void> {
    const { order } = await this.orders.placeOrder(preOrder(this.seed, "still"));
    const watch = this.orders.watchOrder({ orderId: order?.orderId }, { timeoutMs: 300 });
    await refusal(all(watch), Code.DeadlineExceeded);
    this.say("deadline", "DEADLINE_EXCEEDED after 300 ms");
  }
}

/** Everything that a stream brings until it ends. */
async function all<Message>(stream: AsyncIterable<Message>): Promise<Message[]> {
  const messages = [];
  for await (const message of stream) messages.push(message);
  return messages;
}

"""A tour of the order service: place an order, follow it to its end, and meet its refusals.

    python tour.py ADDRESS FLAKY_ADDRESS SERVICE_CONFIG SEED

ADDRESS is the server's. At FLAKY_ADDRESS is the same server behind something that turns calls away at first, for the
step `retry`; `-` leaves that step out. SERVICE_CONFIG is the file orders_grpc_service_config.json, and SEED what the
ids begin with: another one for each run. Prints a line for each step; exits with 0 when all of them hold.
"""

import queue
import sys
import threading
from pathlib import Path

import grpc
from google.rpc import error_details_pb2 as details

from connection import connect
from orders.v1 import inventory_service_pb2, inventory_service_pb2_grpc
from orders.v1 import order_commands_pb2, order_pb2, stock_pb2
from orders.v1 import order_service_pb2, order_service_pb2_grpc
from refusal import detail, refusal
from samples import pre_order

# In seconds, and longer than anything here takes: a watch without a deadline waits for ever.
PATIENCE = 30


class Tour:
    """The steps, in their sequence."""

    def __init__(self, channel: grpc.Channel, seed: str):
        self.orders = order_service_pb2_grpc.OrderServiceStub(channel)
        self.inventory = inventory_service_pb2_grpc.InventoryServiceStub(channel)
        self.seed = seed

    def stock(self) -> None:
        sku = f"{self.seed}-sku"
        request = inventory_service_pb2.SetStockItemRequest(
            request_id=f"{self.seed}-stock", stock_item=stock_pb2.StockItem(sku=sku, on_hand=10)
        )
        item = self.inventory.SetStockItem(request).stock_item
        expect(item.available == 10, item)
        say("stock", f"10 pieces of {sku}")

    def place(self) -> str:
        answer, call = self.orders.PlaceOrder.with_call(pre_order(self.seed, "first"))
        expect(answer.order.state == order_pb2.ORDER_STATE_PLACED, answer)
        expect(answer.order.revision == 1, answer)
        expect(replayed(call) is None, call.trailing_metadata())
        say("place", answer.order.order_id)
        return answer.order.order_id

    def replay(self, order_id: str) -> None:
        """The same request once more has no second effect, and the trailer says so."""
        answer, call = self.orders.PlaceOrder.with_call(pre_order(self.seed, "first"))
        expect(answer.order.order_id == order_id, answer)
        expect(replayed(call) == "true", call.trailing_metadata())
        say("replay", "orders-replayed: true")

    def watch(self, order_id: str) -> list[order_service_pb2.WatchOrderResponse]:
        """Follows the order in a thread of its own, and sends the next command as soon as it is allowed."""
        request = order_service_pb2.WatchOrderRequest(order_id=order_id)
        call = self.orders.WatchOrder(request, timeout=PATIENCE)
        arrived = queue.SimpleQueue()
        threading.Thread(target=forward, args=(call, arrived), daemon=True).start()

        commands = {
            order_pb2.COMMAND_START_FULFILLMENT: self.start_fulfillment,
            order_pb2.COMMAND_CONFIRM_PICKUP: self.confirm_pickup,
            order_pb2.COMMAND_CONFIRM_DELIVERY: self.confirm_delivery,
        }
        seen = []
        while answer := arrived.get():
            if answer.heartbeat:
                continue
            seen.append(answer)
            for command in answer.order.allowed_commands:
                if send := commands.pop(command, None):
                    send(order_id)
        expect(call.code() == grpc.StatusCode.OK, call.details())

        revisions = [answer.event.revision for answer in seen]
        expect(revisions == list(range(1, len(seen) + 1)), revisions)
        expect(revisions == [answer.order.revision for answer in seen], seen)
        closed = [answer.order.HasField("close_time") for answer in seen]
        expect(closed == [False] * (len(seen) - 1) + [True], closed)
        last = seen[-1].order
        expect(last.state == order_pb2.ORDER_STATE_COMPLETED, last)
        say("watch", f"{len(seen)} events, each once and in order, until COMPLETED")
        return seen

    def start_fulfillment(self, order_id: str) -> None:
        request_id = f"{self.seed}-start"
        self.orders.StartFulfillment(
            order_commands_pb2.StartFulfillmentRequest(order_id=order_id, request_id=request_id)
        )

    def confirm_pickup(self, order_id: str) -> None:
        request_id = f"{self.seed}-pickup"
        self.orders.ConfirmPickup(
            order_commands_pb2.ConfirmPickupRequest(order_id=order_id, request_id=request_id)
        )

    def confirm_delivery(self, order_id: str) -> None:
        request_id = f"{self.seed}-delivery"
        self.orders.ConfirmDelivery(
            order_commands_pb2.ConfirmDeliveryRequest(order_id=order_id, request_id=request_id)
        )

    def resume(self, order_id: str, seen: list[order_service_pb2.WatchOrderResponse]) -> None:
        """A watch that broke goes on after the last revision that arrived, and misses nothing."""
        middle = len(seen) // 2
        request = order_service_pb2.WatchOrderRequest(order_id=order_id, after_revision=middle)
        rest = list(self.orders.WatchOrder(request, timeout=PATIENCE))
        expect([answer.event for answer in rest] == [answer.event for answer in seen[middle:]], rest)
        say("resume", f"after revision {middle} the other {len(rest)} events")

    def invalid(self) -> None:
        """A request that can never be right is told every field that is wrong, at once."""
        request = pre_order(self.seed, "invalid")
        request.customer_id = ""
        request.line_items[0].quantity = 0
        request.shipping_address.country_code = "USA"
        error = refusal(
            lambda: self.orders.PlaceOrder(request), grpc.StatusCode.INVALID_ARGUMENT
        )
        expect_reason(error, "INVALID_REQUEST")
        violations = detail(error, details.BadRequest).field_violations
        fields = sorted(violation.field for violation in violations)
        wrong = ["customer_id", "line_items[0].quantity", "shipping_address.country_code"]
        expect(fields == wrong, fields)
        say("invalid", ", ".join(fields))

    def precondition(self, order_id: str) -> None:
        """A command at the wrong moment is told where the order stands, and what it would take instead."""
        request = order_commands_pb2.CancelOrderRequest(
            order_id=order_id, request_id=f"{self.seed}-cancel"
        )
        error = refusal(
            lambda: self.orders.CancelOrder(request), grpc.StatusCode.FAILED_PRECONDITION
        )
        info = expect_reason(error, "COMMAND_NOT_ALLOWED")
        expect(info.metadata["state"] == "ORDER_STATE_COMPLETED", info)
        expect(info.metadata["command"] == "COMMAND_CANCEL_ORDER", info)
        expect(info.metadata["allowed_commands"] == "", info)
        [violation] = detail(error, details.PreconditionFailure).violations
        expect(violation.type == "ORDER_STATE", violation)
        expect(violation.subject == f"orders/{order_id}", violation)
        say("precondition", violation.description)

    def not_found(self) -> None:
        order_id = f"{self.seed}-nobody"
        request = order_service_pb2.GetOrderRequest(order_id=order_id)
        error = refusal(lambda: self.orders.GetOrder(request), grpc.StatusCode.NOT_FOUND)
        expect_reason(error, "ORDER_NOT_FOUND")
        resource = detail(error, details.ResourceInfo)
        expect(resource.resource_type == "orders.v1.Order", resource)
        expect(resource.resource_name == order_id, resource)
        say("not-found", resource.description)

    def deadline(self) -> None:
        """An order that stands still outlasts the time of its watcher."""
        order_id = self.orders.PlaceOrder(pre_order(self.seed, "still")).order.order_id
        request = order_service_pb2.WatchOrderRequest(order_id=order_id)
        refusal(
            lambda: list(self.orders.WatchOrder(request, timeout=0.3)),
            grpc.StatusCode.DEADLINE_EXCEEDED,
        )
        say("deadline", "DEADLINE_EXCEEDED after 300 ms")


def retry(address: str, service_config: str, seed: str) -> None:
    """What is turned away at first gets through with the service config, and only with it."""
    request = pre_order(seed, "retried")
    with connect(address, service_config=None) as channel:
        orders = order_service_pb2_grpc.OrderServiceStub(channel)
        refusal(lambda: orders.PlaceOrder(request), grpc.StatusCode.UNAVAILABLE)
    with connect(address, service_config) as channel:
        answer, call = order_service_pb2_grpc.OrderServiceStub(channel).PlaceOrder.with_call(request)
        expect(answer.order.order_id == request.order_id, answer)
        expect(replayed(call) is None, call.trailing_metadata())
    say("retry", "placed by the service config, UNAVAILABLE without")


def forward(answers, arrived: queue.SimpleQueue) -> None:
    """Passes on what a stream brings; then None, however it ended."""
    try:
        for answer in answers:
            arrived.put(answer)
    except grpc.RpcError:
        pass  # The call's code says it.
    finally:
        arrived.put(None)


def replayed(call: grpc.Call) -> str | None:
    """The trailer that says that the request was answered before."""
    return dict(call.trailing_metadata()).get("orders-replayed")


def expect_reason(error: grpc.RpcError, reason: str) -> details.ErrorInfo:
    """Every refusal carries a stable reason of the domain `orders`."""
    info = detail(error, details.ErrorInfo)
    expect((info.domain, info.reason) == ("orders", reason), info)
    return info


def expect(holds: bool, shown: object) -> None:
    if not holds:
        raise AssertionError(f"not as expected: {shown}")


def say(step: str, text: str) -> None:
    print(f"{step}: {text}", flush=True)


def main(address: str, flaky_address: str, service_config_file: str, seed: str) -> None:
    service_config = Path(service_config_file).read_text()
    with connect(address, service_config) as channel:
        tour = Tour(channel, seed)
        tour.stock()
        order_id = tour.place()
        tour.replay(order_id)
        seen = tour.watch(order_id)
        tour.resume(order_id, seen)
        tour.invalid()
        tour.precondition(order_id)
        tour.not_found()
        tour.deadline()
    if flaky_address != "-":
        retry(flaky_address, service_config, seed)


if __name__ == "__main__":
    main(*sys.argv[1:])

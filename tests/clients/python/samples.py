"""The orders that the tour places."""

import time

from google.protobuf.timestamp_pb2 import Timestamp
from google.type.money_pb2 import Money
from orders.v1 import line_item_pb2, order_pb2, payment_pb2, place_order_pb2

# In a month. Made once: the same request again has to be the same in every field.
RELEASE = Timestamp(seconds=int(time.time()) + 30 * 24 * 3600)


def pre_order(seed: str, name: str) -> place_order_pb2.PlaceOrderRequest:
    """An order that waits for its release, or for StartFulfillment."""
    price = Money(currency_code="USD", units=499, nanos=990_000_000)
    return place_order_pb2.PlaceOrderRequest(
        request_id=f"{seed}-place-{name}",
        order_id=f"{seed}-{name}",
        customer_id="ada",
        policy="pre-order",
        line_items=[line_item_pb2.LineItem(sku=f"{seed}-sku", quantity=1, unit_price=price)],
        shipping_address=order_pb2.Address(
            line1="1 Main St",
            city="San Francisco",
            region="CA",
            postal_code="94105",
            country_code="US",
        ),
        payment_method=payment_pb2.PaymentMethod(
            type=payment_pb2.PAYMENT_METHOD_TYPE_CREDIT_CARD, token="tok-1"
        ),
        release_time=RELEASE,
    )

// The orders that the tour places.

import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { PlaceOrderRequestSchema } from "./generated/orders/v1/place_order_pb.js";
import { PaymentMethodType } from "./generated/orders/v1/payment_pb.js";

/** In a month. Made once: the same request again has to be the same in every field. */
const releaseTime = timestampFromMs(Date.now() + 30 * 24 * 3600 * 1000);

/** An order that waits for its release, or for StartFulfillment. */
export function preOrder(seed: string, name: string) {
  return {
    requestId: `${seed}-place-${name}`,
    orderId: `${seed}-${name}`,
    customerId: "ada",
    policy: "pre-order",
    lineItems: [
      { sku: `${seed}-sku`, quantity: 1n, unitPrice: { currencyCode: "USD", units: 499n, nanos: 990_000_000 } },
    ],
    shippingAddress: {
      line1: "1 Main St",
      city: "San Francisco",
      region: "CA",
      postalCode: "94105",
      countryCode: "US",
    },
    paymentMethod: { type: PaymentMethodType.CREDIT_CARD, token: "tok-1" },
    releaseTime,
  } satisfies MessageInitShape<typeof PlaceOrderRequestSchema>;
}

package example.orders;

import com.google.protobuf.Timestamp;
import com.google.type.Money;
import java.time.Duration;
import java.time.Instant;
import orders.v1.LineItemOuterClass.LineItem;
import orders.v1.OrderOuterClass.Address;
import orders.v1.PaymentOuterClass.PaymentMethod;
import orders.v1.PaymentOuterClass.PaymentMethodType;
import orders.v1.PlaceOrder.PlaceOrderRequest;

/** The orders that the tour places. */
final class Samples {
    /** In a month. Made once: the same request again has to be the same in every field. */
    private static final Timestamp RELEASE = Timestamp.newBuilder()
            .setSeconds(Instant.now().plus(Duration.ofDays(30)).getEpochSecond())
            .build();

    private Samples() {}

    /** An order that waits for its release, or for StartFulfillment. */
    static PlaceOrderRequest preOrder(String seed, String name) {
        Money price = Money.newBuilder()
                .setCurrencyCode("USD")
                .setUnits(499)
                .setNanos(990_000_000)
                .build();
        return PlaceOrderRequest.newBuilder()
                .setRequestId(seed + "-place-" + name)
                .setOrderId(seed + "-" + name)
                .setCustomerId("ada")
                .setPolicy("pre-order")
                .addLineItems(LineItem.newBuilder()
                        .setSku(seed + "-sku")
                        .setQuantity(1)
                        .setUnitPrice(price))
                .setShippingAddress(Address.newBuilder()
                        .setLine1("1 Main St")
                        .setCity("San Francisco")
                        .setRegion("CA")
                        .setPostalCode("94105")
                        .setCountryCode("US"))
                .setPaymentMethod(PaymentMethod.newBuilder()
                        .setType(PaymentMethodType.PAYMENT_METHOD_TYPE_CREDIT_CARD)
                        .setToken("tok-1"))
                .setReleaseTime(RELEASE)
                .build();
    }
}

package example.orders;

import com.google.rpc.BadRequest;
import com.google.rpc.PreconditionFailure;
import com.google.rpc.ResourceInfo;
import io.grpc.Channel;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.stub.MetadataUtils;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import orders.v1.InventoryServiceGrpc;
import orders.v1.InventoryServiceGrpc.InventoryServiceBlockingStub;
import orders.v1.InventoryServiceOuterClass.SetStockItemRequest;
import orders.v1.OrderCommands.CancelOrderRequest;
import orders.v1.OrderCommands.ConfirmDeliveryRequest;
import orders.v1.OrderCommands.ConfirmPickupRequest;
import orders.v1.OrderCommands.StartFulfillmentRequest;
import orders.v1.OrderEventOuterClass.OrderEvent;
import orders.v1.OrderOuterClass.Command;
import orders.v1.OrderOuterClass.OrderState;
import orders.v1.OrderServiceGrpc;
import orders.v1.OrderServiceGrpc.OrderServiceBlockingStub;
import orders.v1.OrderServiceGrpc.OrderServiceStub;
import orders.v1.OrderServiceOuterClass.GetOrderRequest;
import orders.v1.OrderServiceOuterClass.WatchOrderRequest;
import orders.v1.OrderServiceOuterClass.WatchOrderResponse;
import orders.v1.Stock.StockItem;

/** The steps, in their sequence. */
final class Tour {
    private static final Metadata.Key<String> REPLAYED =
            Metadata.Key.of("orders-replayed", Metadata.ASCII_STRING_MARSHALLER);
    /** In seconds, and longer than anything here takes: a watch without a deadline waits for ever. */
    private static final long PATIENCE = 30;

    private final OrderServiceBlockingStub orders;
    private final OrderServiceStub watches;
    private final InventoryServiceBlockingStub inventory;
    private final String seed;
    /** The trailers of the last call of {@link #orders}. */
    private final AtomicReference<Metadata> trailers = new AtomicReference<>();

    Tour(Channel channel, String seed) {
        var capture = MetadataUtils.newCaptureMetadataInterceptor(new AtomicReference<>(), trailers);
        this.orders = OrderServiceGrpc.newBlockingStub(channel).withInterceptors(capture);
        this.watches = OrderServiceGrpc.newStub(channel);
        this.inventory = InventoryServiceGrpc.newBlockingStub(channel);
        this.seed = seed;
    }

    void run() {
        stock();
        String orderId = place();
        replay(orderId);
        List<WatchOrderResponse> seen = watch(orderId);
        resume(orderId, seen);
        invalid();
        precondition(orderId);
        notFound();
        deadline();
    }

    private void stock() {
        String sku = seed + "-sku";
        var answer = inventory.setStockItem(SetStockItemRequest.newBuilder()
                .setRequestId(seed + "-stock")
                .setStockItem(StockItem.newBuilder().setSku(sku).setOnHand(10))
                .build());
        expect(answer.getStockItem().getAvailable() == 10, answer);
        say("stock", "10 pieces of " + sku);
    }

    private String place() {
        var order = orders.placeOrder(Samples.preOrder(seed, "first")).getOrder();
        expect(order.getState() == OrderState.ORDER_STATE_PLACED && order.getRevision() == 1, order);
        expect(trailers.get().get(REPLAYED) == null, trailers);
        say("place", order.getOrderId());
        return order.getOrderId();
    }

    /** The same request once more has no second effect, and the trailer says so. */
    private void replay(String orderId) {
        var order = orders.placeOrder(Samples.preOrder(seed, "first")).getOrder();
        expect(order.getOrderId().equals(orderId), order);
        expect("true".equals(trailers.get().get(REPLAYED)), trailers);
        say("replay", "orders-replayed: true");
    }

    /** Follows the order on gRPC's threads, and sends the next command as soon as it is allowed. */
    private List<WatchOrderResponse> watch(String orderId) {
        var watch = new Watch();
        var request = WatchOrderRequest.newBuilder().setOrderId(orderId).build();
        watches.withDeadlineAfter(PATIENCE, TimeUnit.SECONDS).watchOrder(request, watch);

        List<WatchOrderResponse> seen = new ArrayList<>();
        Set<Command> sent = EnumSet.noneOf(Command.class);
        watch.forEachRemaining(answer -> {
            seen.add(answer);
            for (Command command : answer.getOrder().getAllowedCommandsList()) {
                if (sent.add(command)) {
                    send(command, orderId);
                }
            }
        });
        expect(watch.end().isOk(), watch.end());

        for (int i = 0; i < seen.size(); i++) {
            var answer = seen.get(i);
            expect(answer.getEvent().getRevision() == i + 1 && answer.getOrder().getRevision() == i + 1, answer);
            expect(answer.getOrder().hasCloseTime() == (i == seen.size() - 1), answer);
        }
        var last = seen.get(seen.size() - 1).getOrder();
        expect(last.getState() == OrderState.ORDER_STATE_COMPLETED, last);
        say("watch", seen.size() + " events, each once and in order, until COMPLETED");
        return seen;
    }

    /** Sends a command that brings the order further, and leaves out the others. */
    private void send(Command command, String orderId) {
        switch (command) {
            case COMMAND_START_FULFILLMENT -> orders.startFulfillment(StartFulfillmentRequest.newBuilder()
                    .setOrderId(orderId)
                    .setRequestId(seed + "-start")
                    .build());
            case COMMAND_CONFIRM_PICKUP -> orders.confirmPickup(ConfirmPickupRequest.newBuilder()
                    .setOrderId(orderId)
                    .setRequestId(seed + "-pickup")
                    .build());
            case COMMAND_CONFIRM_DELIVERY -> orders.confirmDelivery(ConfirmDeliveryRequest.newBuilder()
                    .setOrderId(orderId)
                    .setRequestId(seed + "-delivery")
                    .build());
            default -> {}
        }
    }

    /** A watch that broke goes on after the last revision that arrived, and misses nothing. */
    private void resume(String orderId, List<WatchOrderResponse> seen) {
        int middle = seen.size() / 2;
        var request = WatchOrderRequest.newBuilder()
                .setOrderId(orderId)
                .setAfterRevision(middle)
                .build();
        List<WatchOrderResponse> rest = new ArrayList<>();
        orders.withDeadlineAfter(PATIENCE, TimeUnit.SECONDS).watchOrder(request).forEachRemaining(rest::add);
        var missed = seen.subList(middle, seen.size());
        expect(events(rest).equals(events(missed)), rest);
        say("resume", "after revision " + middle + " the other " + rest.size() + " events");
    }

    /** A request that can never be right is told every field that is wrong, at once. */
    private void invalid() {
        var request = Samples.preOrder(seed, "invalid").toBuilder().setCustomerId("");
        request.getLineItemsBuilder(0).setQuantity(0);
        request.getShippingAddressBuilder().setCountryCode("USA");
        var refusal = Refusal.of(Status.Code.INVALID_ARGUMENT, () -> orders.placeOrder(request.build()));
        refusal.because("INVALID_REQUEST");
        var fields = refusal.detail(BadRequest.class).getFieldViolationsList().stream()
                .map(BadRequest.FieldViolation::getField)
                .sorted()
                .toList();
        var wrong = List.of("customer_id", "line_items[0].quantity", "shipping_address.country_code");
        expect(fields.equals(wrong), fields);
        say("invalid", String.join(", ", fields));
    }

    /** A command at the wrong moment is told where the order stands, and what it would take instead. */
    private void precondition(String orderId) {
        var request = CancelOrderRequest.newBuilder()
                .setOrderId(orderId)
                .setRequestId(seed + "-cancel")
                .build();
        var refusal = Refusal.of(Status.Code.FAILED_PRECONDITION, () -> orders.cancelOrder(request));
        var metadata = refusal.because("COMMAND_NOT_ALLOWED").getMetadataMap();
        expect("ORDER_STATE_COMPLETED".equals(metadata.get("state")), metadata);
        expect("COMMAND_CANCEL_ORDER".equals(metadata.get("command")), metadata);
        expect("".equals(metadata.get("allowed_commands")), metadata);
        var violations = refusal.detail(PreconditionFailure.class).getViolationsList();
        expect(violations.size() == 1, violations);
        var violation = violations.get(0);
        expect(violation.getType().equals("ORDER_STATE"), violation);
        expect(violation.getSubject().equals("orders/" + orderId), violation);
        say("precondition", violation.getDescription());
    }

    private void notFound() {
        String orderId = seed + "-nobody";
        var request = GetOrderRequest.newBuilder().setOrderId(orderId).build();
        var refusal = Refusal.of(Status.Code.NOT_FOUND, () -> orders.getOrder(request));
        refusal.because("ORDER_NOT_FOUND");
        var resource = refusal.detail(ResourceInfo.class);
        expect(resource.getResourceType().equals("orders.v1.Order"), resource);
        expect(resource.getResourceName().equals(orderId), resource);
        say("not-found", resource.getDescription());
    }

    /** An order that stands still outlasts the time of its watcher. */
    private void deadline() {
        var order = orders.placeOrder(Samples.preOrder(seed, "still")).getOrder();
        var request = WatchOrderRequest.newBuilder().setOrderId(order.getOrderId()).build();
        Refusal.of(Status.Code.DEADLINE_EXCEEDED, () -> orders.withDeadlineAfter(300, TimeUnit.MILLISECONDS)
                .watchOrder(request)
                .forEachRemaining(answer -> {}));
        say("deadline", "DEADLINE_EXCEEDED after 300 ms");
    }

    private static List<OrderEvent> events(List<WatchOrderResponse> answers) {
        return answers.stream().map(WatchOrderResponse::getEvent).toList();
    }

    /** Fails with what was seen, unless {@code holds}. */
    static void expect(boolean holds, Object shown) {
        if (!holds) {
            throw new IllegalStateException("not as expected: " + shown);
        }
    }

    static void say(String step, String text) {
        System.out.println(step + ": " + text);
    }
}

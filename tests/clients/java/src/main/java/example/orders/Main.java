package example.orders;

import static example.orders.Tour.expect;
import static example.orders.Tour.say;

import io.grpc.Status;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import orders.v1.OrderServiceGrpc;

/**
 * A tour of the order service: place an order, follow it to its end, and meet its refusals.
 *
 * <pre>java -cp "target/classes:target/lib/*" example.orders.Main ADDRESS FLAKY_ADDRESS SERVICE_CONFIG SEED</pre>
 *
 * <p>ADDRESS is the server's. At FLAKY_ADDRESS is the same server behind something that turns calls away at first, for
 * the step {@code retry}; {@code -} leaves that step out. SERVICE_CONFIG is the file orders_grpc_service_config.json,
 * and SEED what the ids begin with: another one for each run. Prints a line for each step; exits with 0 when all of
 * them hold.
 */
public final class Main {
    private Main() {}

    /** Takes the tour. */
    public static void main(String[] args) throws IOException, InterruptedException {
        if (args.length != 4) {
            System.err.println("usage: Main ADDRESS FLAKY_ADDRESS SERVICE_CONFIG SEED");
            System.exit(2);
        }
        String address = args[0];
        String flakyAddress = args[1];
        String serviceConfig = Files.readString(Path.of(args[2]));
        String seed = args[3];
        try (var connection = Connection.with(address, serviceConfig)) {
            new Tour(connection.channel(), seed).run();
        }
        if (!flakyAddress.equals("-")) {
            retry(flakyAddress, serviceConfig, seed);
        }
    }

    /** What is turned away at first gets through with the service config, and only with it. */
    private static void retry(String address, String serviceConfig, String seed) throws InterruptedException {
        var request = Samples.preOrder(seed, "retried");
        try (var connection = Connection.bare(address)) {
            var orders = OrderServiceGrpc.newBlockingStub(connection.channel());
            Refusal.of(Status.Code.UNAVAILABLE, () -> orders.placeOrder(request));
        }
        try (var connection = Connection.with(address, serviceConfig)) {
            var answer = OrderServiceGrpc.newBlockingStub(connection.channel()).placeOrder(request);
            expect(answer.getOrder().getOrderId().equals(request.getOrderId()), answer);
        }
        say("retry", "placed by the service config, UNAVAILABLE without");
    }
}

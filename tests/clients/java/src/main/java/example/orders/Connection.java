package example.orders;

import com.google.gson.Gson;
import com.google.gson.reflect.TypeToken;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** A channel to one server, closed with try-with-resources. */
record Connection(ManagedChannel channel) implements AutoCloseable {
    /**
     * Opens a channel to {@code host:port}.
     *
     * <p>The service config is the text of orders_grpc_service_config.json. With it gRPC itself sets each method's
     * timeout, and sends again what may be sent again.
     */
    static Connection with(String address, String serviceConfig) {
        Map<String, Object> config = new Gson().fromJson(serviceConfig, new TypeToken<>() {});
        var builder = Grpc.newChannelBuilder(address, InsecureChannelCredentials.create());
        return new Connection(builder.defaultServiceConfig(config).build());
    }

    /** Opens a channel without a service config: no timeouts, and nothing is sent again. */
    static Connection bare(String address) {
        return new Connection(Grpc.newChannelBuilder(address, InsecureChannelCredentials.create()).build());
    }

    @Override
    public void close() throws InterruptedException {
        channel.shutdownNow().awaitTermination(5, TimeUnit.SECONDS);
    }
}

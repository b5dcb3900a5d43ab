package example.orders;

import io.grpc.Status;
import io.grpc.stub.StreamObserver;
import java.util.Iterator;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import orders.v1.OrderServiceOuterClass.WatchOrderResponse;

/** Takes what a watch brings on gRPC's own threads, for another thread to iterate over until it ends. */
final class Watch implements StreamObserver<WatchOrderResponse>, Iterator<WatchOrderResponse> {
    /** An empty one stands for the end. */
    private final BlockingQueue<Optional<WatchOrderResponse>> arrived = new LinkedBlockingQueue<>();
    private volatile Status end;
    private Optional<WatchOrderResponse> next;

    /** How the stream ended; null while it goes on. */
    Status end() {
        return end;
    }

    @Override
    public void onNext(WatchOrderResponse answer) {
        if (!answer.getHeartbeat()) {
            arrived.add(Optional.of(answer));
        }
    }

    @Override
    public void onError(Throwable error) {
        end = Status.fromThrowable(error);
        arrived.add(Optional.empty());
    }

    @Override
    public void onCompleted() {
        end = Status.OK;
        arrived.add(Optional.empty());
    }

    @Override
    public boolean hasNext() {
        try {
            next = next == null ? arrived.take() : next;
        } catch (InterruptedException error) {
            throw new IllegalStateException(error);
        }
        return next.isPresent();
    }

    @Override
    public WatchOrderResponse next() {
        hasNext();
        WatchOrderResponse answer = next.orElseThrow();
        next = null;
        return answer;
    }
}

package example.orders;

import com.google.protobuf.Any;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import com.google.rpc.ErrorInfo;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import java.util.List;

/** What the server says when it refuses: a code, and details that a program can act on. */
record Refusal(Status.Code code, List<Any> details) {
    /** Makes a call that has to be refused with {@code code}; gives the refusal. */
    static Refusal of(Status.Code code, Runnable call) {
        try {
            call.run();
        } catch (StatusRuntimeException error) {
            if (error.getStatus().getCode() != code) {
                throw error;
            }
            // Out of the trailer grpc-status-details-bin.
            return new Refusal(code, StatusProto.fromThrowable(error).getDetailsList());
        }
        throw new IllegalStateException(code + " was expected, not an answer");
    }

    /** The detail of this kind. */
    <T extends Message> T detail(Class<T> kind) {
        for (Any packed : details) {
            if (packed.is(kind)) {
                try {
                    return packed.unpack(kind);
                } catch (InvalidProtocolBufferException error) {
                    throw new IllegalStateException(error);
                }
            }
        }
        throw new IllegalStateException("no " + kind.getName() + " in " + this);
    }

    /** The {@code ErrorInfo}, which every refusal carries: a stable reason of the domain {@code orders}. */
    ErrorInfo because(String reason) {
        ErrorInfo info = detail(ErrorInfo.class);
        if (!info.getDomain().equals("orders") || !info.getReason().equals(reason)) {
            throw new IllegalStateException(reason + " was expected, not " + info);
        }
        return info;
    }
}

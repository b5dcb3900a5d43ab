"""How to reach the server."""

import grpc


def connect(address: str, service_config: str | None) -> grpc.Channel:
    """Opens a channel to `host:port`.

    `service_config` is the text of orders_grpc_service_config.json. With it gRPC itself sets each method's timeout, and
    sends again what may be sent again; without it, neither.
    """
    options = [] if service_config is None else [("grpc.service_config", service_config)]
    return grpc.insecure_channel(address, options=options)

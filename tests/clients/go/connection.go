package main

import (
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	// Lets channels follow the server's health, as the service config asks them to.
	_ "google.golang.org/grpc/health"
)

// connect opens a channel to `host:port`.
//
// serviceConfig is the text of orders_grpc_service_config.json. With it gRPC itself sets each method's timeout, and
// sends again what may be sent again; with an empty one, neither.
func connect(address, serviceConfig string) (*grpc.ClientConn, error) {
	options := []grpc.DialOption{grpc.WithTransportCredentials(insecure.NewCredentials())}
	if serviceConfig != "" {
		options = append(options, grpc.WithDefaultServiceConfig(serviceConfig))
	}
	return grpc.NewClient(address, options...)
}

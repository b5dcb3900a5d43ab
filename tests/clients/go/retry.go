package main

import (
	"context"
	"fmt"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	orders "orders.example/clients/go/generated/orders/v1"
)

// retry is turned away at first: with the service config it gets through, and without it does not.
func retry(ctx context.Context, address, serviceConfig, seed string) error {
	request := preOrder(seed, "retried")

	bare, err := connect(address, "")
	if err != nil {
		return err
	}
	defer bare.Close()
	_, err = orders.NewOrderServiceClient(bare).PlaceOrder(ctx, request)
	if code(err) != codes.Unavailable {
		return fmt.Errorf("UNAVAILABLE was expected, not %v", err)
	}

	channel, err := connect(address, serviceConfig)
	if err != nil {
		return err
	}
	defer channel.Close()
	answer, err := orders.NewOrderServiceClient(channel).PlaceOrder(ctx, request)
	if err != nil {
		return err
	}
	if answer.GetOrder().GetOrderId() != request.OrderId {
		return unexpected(answer)
	}
	say("retry", "placed by the service config, UNAVAILABLE without")
	return nil
}

// code is that of a call's error; OK for none.
func code(err error) codes.Code {
	return status.Code(err)
}

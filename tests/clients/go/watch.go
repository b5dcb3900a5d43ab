package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"google.golang.org/protobuf/proto"

	orders "orders.example/clients/go/generated/orders/v1"
)

// watch follows the order in a goroutine of its own, and sends the next command as soon as it is allowed.
func (t *tour) watch(ctx context.Context) error {
	stream, err := t.orders.WatchOrder(ctx, &orders.WatchOrderRequest{OrderId: t.orderID})
	if err != nil {
		return err
	}
	arrived := make(chan *orders.WatchOrderResponse)
	ended := make(chan error, 1)
	go func() {
		defer close(arrived)
		for {
			answer, err := stream.Recv()
			if err != nil {
				ended <- err
				return
			}
			if answer.GetHeartbeat() {
				continue
			}
			arrived <- answer
		}
	}()

	sent := map[orders.Command]bool{}
	for answer := range arrived {
		t.seen = append(t.seen, answer)
		for _, command := range answer.GetOrder().GetAllowedCommands() {
			if sent[command] {
				continue
			}
			sent[command] = true
			if err := t.send(ctx, command); err != nil {
				return err
			}
		}
	}
	// A stream that ends with OK ends with EOF.
	if err := <-ended; !errors.Is(err, io.EOF) {
		return err
	}

	for i, answer := range t.seen {
		revision := int64(i + 1)
		if answer.GetEvent().GetRevision() != revision || answer.GetOrder().GetRevision() != revision {
			return fmt.Errorf("revision %d was expected, not %v", revision, answer)
		}
		if last := i == len(t.seen)-1; last != (answer.GetOrder().GetCloseTime() != nil) {
			return fmt.Errorf("closed too early or too late: %v", answer)
		}
	}
	last := t.seen[len(t.seen)-1].GetOrder()
	if last.GetState() != orders.OrderState_ORDER_STATE_COMPLETED {
		return unexpected(last)
	}
	say("watch", fmt.Sprintf("%d events, each once and in order, until COMPLETED", len(t.seen)))
	return nil
}

// send sends a command that brings the order further, and leaves out the others.
func (t *tour) send(ctx context.Context, command orders.Command) error {
	var err error
	switch command {
	case orders.Command_COMMAND_START_FULFILLMENT:
		_, err = t.orders.StartFulfillment(ctx, &orders.StartFulfillmentRequest{
			OrderId: t.orderID, RequestId: t.seed + "-start",
		})
	case orders.Command_COMMAND_CONFIRM_PICKUP:
		_, err = t.orders.ConfirmPickup(ctx, &orders.ConfirmPickupRequest{
			OrderId: t.orderID, RequestId: t.seed + "-pickup",
		})
	case orders.Command_COMMAND_CONFIRM_DELIVERY:
		_, err = t.orders.ConfirmDelivery(ctx, &orders.ConfirmDeliveryRequest{
			OrderId: t.orderID, RequestId: t.seed + "-delivery",
		})
	}
	return err
}

// resume goes on after the last revision that arrived before a watch broke, and misses nothing.
func (t *tour) resume(ctx context.Context) error {
	middle := len(t.seen) / 2
	rest, err := t.follow(ctx, t.orderID, int64(middle))
	if err != nil {
		return err
	}
	if len(rest) != len(t.seen)-middle {
		return unexpected(rest)
	}
	for i, answer := range rest {
		if !proto.Equal(answer.GetEvent(), t.seen[middle+i].GetEvent()) {
			return unexpected(answer)
		}
	}
	say("resume", fmt.Sprintf("after revision %d the other %d events", middle, len(rest)))
	return nil
}

// follow gives everything that a watch brings until it ends.
func (t *tour) follow(ctx context.Context, orderID string, after int64) ([]*orders.WatchOrderResponse, error) {
	stream, err := t.orders.WatchOrder(ctx, &orders.WatchOrderRequest{OrderId: orderID, AfterRevision: after})
	if err != nil {
		return nil, err
	}
	var all []*orders.WatchOrderResponse
	for {
		answer, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return all, err
		}
		if answer.GetHeartbeat() {
			continue
		}
		all = append(all, answer)
	}
}

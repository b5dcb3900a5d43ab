package main

import (
	"context"
	"fmt"
	"reflect"
	"sort"
	"strings"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"

	orders "orders.example/clients/go/generated/orders/v1"
)

// tour is the steps; each prints what it saw, or says what was not as expected.
type tour struct {
	orders    orders.OrderServiceClient
	inventory orders.InventoryServiceClient
	seed      string
	// The order that is followed, and what the watch brought.
	orderID string
	seen    []*orders.WatchOrderResponse
}

func newTour(channel grpc.ClientConnInterface, seed string) *tour {
	return &tour{
		orders:    orders.NewOrderServiceClient(channel),
		inventory: orders.NewInventoryServiceClient(channel),
		seed:      seed,
		orderID:   seed + "-first",
	}
}

func (t *tour) stock(ctx context.Context) error {
	answer, err := t.inventory.SetStockItem(ctx, &orders.SetStockItemRequest{
		RequestId: t.seed + "-stock",
		StockItem: &orders.StockItem{Sku: t.seed + "-sku", OnHand: proto.Int64(10)},
	})
	if err != nil {
		return err
	}
	if answer.StockItem.GetAvailable() != 10 {
		return unexpected(answer)
	}
	say("stock", "10 pieces of "+answer.StockItem.Sku)
	return nil
}

func (t *tour) place(ctx context.Context) error {
	var trailer metadata.MD
	answer, err := t.orders.PlaceOrder(ctx, preOrder(t.seed, "first"), grpc.Trailer(&trailer))
	if err != nil {
		return err
	}
	order := answer.GetOrder()
	if order.GetState() != orders.OrderState_ORDER_STATE_PLACED || order.GetRevision() != 1 {
		return unexpected(order)
	}
	if trailer.Get("orders-replayed") != nil {
		return unexpected(trailer)
	}
	say("place", order.OrderId)
	return nil
}

// replay sends the same request once more: it has no second effect, and the trailer says so.
func (t *tour) replay(ctx context.Context) error {
	var trailer metadata.MD
	answer, err := t.orders.PlaceOrder(ctx, preOrder(t.seed, "first"), grpc.Trailer(&trailer))
	if err != nil {
		return err
	}
	if answer.GetOrder().GetOrderId() != t.orderID {
		return unexpected(answer)
	}
	if !reflect.DeepEqual(trailer.Get("orders-replayed"), []string{"true"}) {
		return unexpected(trailer)
	}
	say("replay", "orders-replayed: true")
	return nil
}

// invalid sends what can never be right, and is told every field that is wrong, at once.
func (t *tour) invalid(ctx context.Context) error {
	request := preOrder(t.seed, "invalid")
	request.CustomerId = ""
	request.LineItems[0].Quantity = 0
	request.ShippingAddress.CountryCode = "USA"
	_, err := t.orders.PlaceOrder(ctx, request)
	refusal, err := refused(err, codes.InvalidArgument, "INVALID_REQUEST")
	if err != nil {
		return err
	}
	bad, err := detail[*errdetails.BadRequest](refusal.status)
	if err != nil {
		return err
	}
	var fields []string
	for _, violation := range bad.GetFieldViolations() {
		fields = append(fields, violation.GetField())
	}
	sort.Strings(fields)
	wrong := []string{"customer_id", "line_items[0].quantity", "shipping_address.country_code"}
	if !reflect.DeepEqual(fields, wrong) {
		return unexpected(fields)
	}
	say("invalid", strings.Join(fields, ", "))
	return nil
}

// precondition sends a command at the wrong moment, and is told where the order stands and what it would take instead.
func (t *tour) precondition(ctx context.Context) error {
	_, err := t.orders.CancelOrder(ctx, &orders.CancelOrderRequest{
		OrderId:   t.orderID,
		RequestId: t.seed + "-cancel",
	})
	refusal, err := refused(err, codes.FailedPrecondition, "COMMAND_NOT_ALLOWED")
	if err != nil {
		return err
	}
	about := refusal.info.GetMetadata()
	allowed, named := about["allowed_commands"]
	if about["state"] != "ORDER_STATE_COMPLETED" || about["command"] != "COMMAND_CANCEL_ORDER" || !named || allowed != "" {
		return unexpected(about)
	}
	failure, err := detail[*errdetails.PreconditionFailure](refusal.status)
	if err != nil {
		return err
	}
	violations := failure.GetViolations()
	if len(violations) != 1 || violations[0].GetType() != "ORDER_STATE" || violations[0].GetSubject() != "orders/"+t.orderID {
		return unexpected(violations)
	}
	say("precondition", violations[0].GetDescription())
	return nil
}

func (t *tour) notFound(ctx context.Context) error {
	nobody := t.seed + "-nobody"
	_, err := t.orders.GetOrder(ctx, &orders.GetOrderRequest{OrderId: nobody})
	refusal, err := refused(err, codes.NotFound, "ORDER_NOT_FOUND")
	if err != nil {
		return err
	}
	resource, err := detail[*errdetails.ResourceInfo](refusal.status)
	if err != nil {
		return err
	}
	if resource.GetResourceType() != "orders.v1.Order" || resource.GetResourceName() != nobody {
		return unexpected(resource)
	}
	say("not-found", resource.GetDescription())
	return nil
}

// deadline follows an order that stands still for longer than its watcher has time.
func (t *tour) deadline(ctx context.Context) error {
	answer, err := t.orders.PlaceOrder(ctx, preOrder(t.seed, "still"))
	if err != nil {
		return err
	}
	short, cancel := context.WithTimeout(ctx, 300*time.Millisecond)
	defer cancel()
	_, err = t.follow(short, answer.GetOrder().GetOrderId(), 0)
	if code(err) != codes.DeadlineExceeded {
		return fmt.Errorf("DEADLINE_EXCEEDED was expected, not %v", err)
	}
	say("deadline", "DEADLINE_EXCEEDED after 300 ms")
	return nil
}

func unexpected(shown any) error {
	return fmt.Errorf("not as expected: %v", shown)
}

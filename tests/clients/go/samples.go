package main

import (
	"time"

	"google.golang.org/genproto/googleapis/type/money"
	"google.golang.org/protobuf/types/known/timestamppb"

	orders "orders.example/clients/go/generated/orders/v1"
)

// release is in a month. Made once: the same request again has to be the same in every field.
var release = timestamppb.New(time.Now().AddDate(0, 1, 0))

// preOrder is an order that waits for its release, or for StartFulfillment.
func preOrder(seed, name string) *orders.PlaceOrderRequest {
	return &orders.PlaceOrderRequest{
		RequestId:  seed + "-place-" + name,
		OrderId:    seed + "-" + name,
		CustomerId: "ada",
		Policy:     "pre-order",
		LineItems: []*orders.LineItem{{
			Sku:       seed + "-sku",
			Quantity:  1,
			UnitPrice: &money.Money{CurrencyCode: "USD", Units: 499, Nanos: 990_000_000},
		}},
		ShippingAddress: &orders.Address{
			Line1:       "1 Main St",
			City:        "San Francisco",
			Region:      "CA",
			PostalCode:  "94105",
			CountryCode: "US",
		},
		PaymentMethod: &orders.PaymentMethod{
			Type:  orders.PaymentMethodType_PAYMENT_METHOD_TYPE_CREDIT_CARD,
			Token: "tok-1",
		},
		ReleaseTime: release,
	}
}

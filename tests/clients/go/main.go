// A tour of the order service: place an order, follow it to its end, and meet its refusals.
//
//	tour ADDRESS FLAKY_ADDRESS SERVICE_CONFIG SEED
//
// ADDRESS is the server's. At FLAKY_ADDRESS is the same server behind something that turns calls away at first, for
// the step `retry`; `-` leaves that step out. SERVICE_CONFIG is the file orders_grpc_service_config.json, and SEED what
// the ids begin with: another one for each run. Prints a line for each step; exits with 0 when all of them hold.
package main

import (
	"context"
	"fmt"
	"os"
	"time"
)

// Longer than the whole tour takes: a watch without a deadline waits for ever.
const patience = 30 * time.Second

func main() {
	if len(os.Args) != 5 {
		fmt.Fprintln(os.Stderr, "usage: tour ADDRESS FLAKY_ADDRESS SERVICE_CONFIG SEED")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2], os.Args[3], os.Args[4]); err != nil {
		fmt.Fprintln(os.Stderr, "failed:", err)
		os.Exit(1)
	}
}

func run(address, flakyAddress, serviceConfigFile, seed string) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	serviceConfig, err := os.ReadFile(serviceConfigFile)
	if err != nil {
		return err
	}
	channel, err := connect(address, string(serviceConfig))
	if err != nil {
		return err
	}
	defer channel.Close()

	tour := newTour(channel, seed)
	steps := []func(context.Context) error{
		tour.stock, tour.place, tour.replay, tour.watch, tour.resume,
		tour.invalid, tour.precondition, tour.notFound, tour.deadline,
	}
	for _, step := range steps {
		if err := step(ctx); err != nil {
			return err
		}
	}
	if flakyAddress == "-" {
		return nil
	}
	return retry(ctx, flakyAddress, string(serviceConfig), seed)
}

func say(step, text string) {
	fmt.Printf("%s: %s\n", step, text)
}

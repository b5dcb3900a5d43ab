package main

import (
	"fmt"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// refusal is what the server says when it refuses: a message for people, and details that a program can act on.
type refusal struct {
	message string
	info    *errdetails.ErrorInfo
	status  *status.Status
}

// refused makes sure that a call was refused with this code and, by its ErrorInfo, for this reason.
func refused(err error, code codes.Code, reason string) (*refusal, error) {
	answer := status.Convert(err)
	if answer.Code() != code {
		return nil, fmt.Errorf("%v was expected, not %v", code, answer)
	}
	info, err := detail[*errdetails.ErrorInfo](answer)
	if err != nil {
		return nil, err
	}
	if info.GetDomain() != "orders" || info.GetReason() != reason {
		return nil, fmt.Errorf("the reason %v was expected, not %v", reason, info)
	}
	return &refusal{message: answer.Message(), info: info, status: answer}, nil
}

// detail finds the detail of one kind in the trailer grpc-status-details-bin.
func detail[Kind any](answer *status.Status) (Kind, error) {
	for _, detail := range answer.Details() {
		if found, ok := detail.(Kind); ok {
			return found, nil
		}
	}
	var none Kind
	return none, fmt.Errorf("no %T in %v", none, answer)
}

// Judges messages by the rules of buf.validate in a descriptor set, with protovalidate-go.
//
//	judge SET ASKED
//
// ASKED has a line for each message: the name of its type, a blank, the message in base64. For each one a line of JSON
// comes out: {"paths": [...]} with the fields that break a rule, or {"error": "..."} when it cannot be judged. It is
// what tests/contract/validation/judge.py does in Python.
package main

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"

	"buf.build/go/protovalidate"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"
)

// A verdict on one message.
type verdict struct {
	Paths []string `json:"paths"`
	Error string   `json:"error,omitempty"`
}

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: judge SET ASKED")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "failed:", err)
		os.Exit(1)
	}
}

func run(setFile, askedFile string) error {
	types, err := readTypes(setFile)
	if err != nil {
		return err
	}
	// The predefined rules are extensions that only the set knows.
	validator, err := protovalidate.New(protovalidate.WithExtensionTypeResolver(types))
	if err != nil {
		return err
	}
	asked, err := os.Open(askedFile)
	if err != nil {
		return err
	}
	defer asked.Close()
	lines := bufio.NewScanner(asked)
	// A request may have 128 KiB, which is more in base64.
	lines.Buffer(nil, 16<<20)
	answers := json.NewEncoder(os.Stdout)
	for lines.Scan() {
		name, encoded, _ := strings.Cut(lines.Text(), " ")
		paths, err := judge(validator, types, name, encoded)
		answer := verdict{Paths: paths}
		if err != nil {
			answer.Error = err.Error()
		}
		if err := answers.Encode(answer); err != nil {
			return err
		}
	}
	return lines.Err()
}

// readTypes reads the message types and extensions of an encoded descriptor set.
func readTypes(file string) (*dynamicpb.Types, error) {
	bytes, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var set descriptorpb.FileDescriptorSet
	if err := proto.Unmarshal(bytes, &set); err != nil {
		return nil, err
	}
	files, err := protodesc.NewFiles(&set)
	if err != nil {
		return nil, err
	}
	return dynamicpb.NewTypes(files), nil
}

// judge returns the paths of the fields that break a rule, or why the message cannot be judged.
func judge(validator protovalidate.Validator, types *dynamicpb.Types, name, encoded string) ([]string, error) {
	bytes, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return nil, err
	}
	kind, err := types.FindMessageByName(protoreflect.FullName(name))
	if err != nil {
		return nil, err
	}
	message := kind.New().Interface()
	if err := proto.Unmarshal(bytes, message); err != nil {
		return nil, err
	}
	err = validator.Validate(message)
	var broken *protovalidate.ValidationError
	if !errors.As(err, &broken) {
		return []string{}, err
	}
	paths := make([]string, 0, len(broken.Violations))
	for _, violation := range broken.Violations {
		paths = append(paths, protovalidate.FieldPathString(violation.Proto.GetField()))
	}
	return paths, nil
}

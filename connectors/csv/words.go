package csv

import (
	"context"
	"strconv"
	"strings"

	"sidecard/connectors"
)

func misconfigured(code string, line int, message, fix string) *connectors.Error {
	return &connectors.Error{Class: connectors.Misconfigured, Code: code, Message: message, Fix: fix, Line: line}
}

// readError is for a file that breaks off while it is read.
func readError(err error) *connectors.Error {
	if e := connectors.AsError(err); e.Class != connectors.Bug {
		return e
	}
	return &connectors.Error{
		Class: connectors.Transient, Code: "csv.read", Message: "The file could not be read to its end.",
		Fix: "Upload it again.", Err: err,
	}
}

// sinkError is for rows that the host does not take.
func sinkError(ctx context.Context, err error) *connectors.Error {
	if ctx.Err() != nil {
		return connectors.AsError(ctx.Err())
	}
	if e := connectors.AsError(err); e.Class != connectors.Bug {
		return e
	}
	return &connectors.Error{
		Class: connectors.Transient, Code: "csv.store", Message: "The rows could not be stored.",
		Fix: "Upload the file again in a moment.", Err: err,
	}
}

// list names columns in a sentence, the first ten of them.
func list(names []string) string {
	const most, longest = 10, 40
	var b strings.Builder
	for i, name := range names[:min(len(names), most)] {
		if i > 0 {
			b.WriteString(", ")
		}
		if runes := []rune(name); len(runes) > longest {
			name = string(runes[:longest]) + "…"
		}
		b.WriteString("“" + name + "”")
	}
	if more := len(names) - most; more > 0 {
		b.WriteString(" and " + number(more) + " more")
	}
	return b.String()
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return number(n) + " " + noun + "s"
}

func number(n int) string { return strconv.Itoa(n) }

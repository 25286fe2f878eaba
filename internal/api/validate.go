package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/mail"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/gin-gonic/gin"
	"github.com/google/uuid"

	"sidecard/internal/hub"
)

// validate lets a request pass that is as the contract says. A JSON body is read, checked and put back; an upload is
// only prepared, its bytes are for the handler.
func (f *face) validate(c *gin.Context) {
	op := f.rules.of(c)
	var err error
	switch op.body {
	case "":
	case jsonType:
		err = readBody(c)
	default:
		err = f.openUpload(c, op.body)
	}
	if err == nil {
		err = op.check(c)
	}
	if err != nil {
		f.fail(c, err)
		return
	}
	if op.body == "" || op.body == jsonType {
		// The deadline for reading the request is over before a slow check of a source may be, and net/http would
		// take its passing for a client that went away.
		_ = http.NewResponseController(c.Writer).SetReadDeadline(time.Now().Add(writeTime))
	}
}

// readBody reads a JSON body, refuses what is none, and puts the bytes back.
func readBody(c *gin.Context) error {
	if encoded(c.Request) {
		return errEncoded
	}
	body, err := io.ReadAll(http.MaxBytesReader(c.Writer, c.Request.Body, maxJSON))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return &hub.Error{Code: hub.CodeTooLarge, Message: "The request is larger than 1 MiB.", Err: err}
	case err != nil:
		return &hub.Error{Code: hub.CodeInvalid, Message: "The request did not arrive completely.", Err: err}
	case len(body) == 0:
		return wrong(hub.FieldError{Detail: "The body is missing. Send a JSON object."})
	case !announces(c.Request, jsonType, "utf-8"):
		return &hub.Error{Code: codeMediaType, Message: "Send JSON, with Content-Type: application/json."}
	}
	if problems := checkJSON(body); len(problems) > 0 {
		return wrong(problems...)
	}
	c.Request.Body = io.NopCloser(bytes.NewReader(body))
	return nil
}

// announces says whether a request's Content-Type is a media type, and its charset, when it names one and it matters,
// one of these.
func announces(r *http.Request, want string, charsets ...string) bool {
	mediaType, parameters, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	charset := strings.ToLower(parameters["charset"])
	return err == nil && mediaType == want && (charset == "" || len(charsets) == 0 || slices.Contains(charsets, charset))
}

// check compares parameters and body with the document.
func (op operation) check(c *gin.Context) error {
	query, err := url.ParseQuery(c.Request.URL.RawQuery)
	if err != nil {
		return wrong(hub.FieldError{Detail: "The query string cannot be read. Escape its values."})
	}
	if problems := op.checkQuery(query); len(problems) > 0 {
		return wrong(problems...)
	}
	path := make(map[string]string, len(c.Params))
	for _, p := range c.Params {
		path[p.Key] = p.Value
	}
	err = openapi3filter.ValidateRequest(c.Request.Context(), &openapi3filter.RequestValidationInput{
		Request: c.Request, PathParams: path, QueryParams: query, Route: op.route,
		Options: &openapi3filter.Options{
			MultiError:              true,
			ExcludeRequestBody:      op.body != jsonType,
			SkipSettingDefaults:     true, // a body stays as it came; handlers know the defaults
			AuthenticationFunc:      openapi3filter.NoopAuthenticationFunc,
			SchemaValidationOptions: []openapi3.SchemaValidationOption{openapi3.WithStringFormatValidators(formats)},
		},
	})
	if err != nil {
		return wrong(complaints(err)...)
	}
	return nil
}

// checkQuery refuses names the operation does not know, and values that no database could keep.
func (op operation) checkQuery(query url.Values) (problems []hub.FieldError) {
	for name, values := range query {
		switch {
		case !op.query[name]:
			problems = append(problems, hub.FieldError{Pointer: clip(name), Detail: "There is no such parameter. Leave it out."})
		case len(values) > 1:
			problems = append(problems, hub.FieldError{Pointer: name, Detail: "Give this once."})
		case !utf8.ValidString(values[0]) || strings.ContainsRune(values[0], 0):
			problems = append(problems, hub.FieldError{Pointer: name, Detail: "Use UTF-8 text without NUL characters."})
		}
	}
	return problems
}

// formats are the formats of text that the contract uses and kin-openapi leaves to us.
var formats = map[string]openapi3.StringFormatValidator{
	"email": openapi3.NewCallbackValidator(func(s string) error {
		if a, err := mail.ParseAddress(s); err != nil || a.Address != s {
			return errors.New("no address")
		}
		return nil
	}),
	"uuid": openapi3.NewCallbackValidator(func(s string) error {
		if len(s) != 36 {
			return errors.New("no id")
		}
		return uuid.Validate(s)
	}),
	"date-time": openapi3.NewCallbackValidator(func(s string) error {
		_, err := time.Parse(time.RFC3339, s)
		return err
	}),
}

// badParameter and badBody answer for the generated code, should it ever refuse what the document allows. A whole
// number that is written as 1.0 is such a case.
func (f *face) badParameter(c *gin.Context, err error, _ int) { f.fail(c, generated(err)) }

func (f *face) badBody(c *gin.Context, err error) { f.fail(c, generated(err)) }

func generated(err error) error {
	refusal := wrong(hub.FieldError{Detail: "A value is written in a way that cannot be read."})
	if kind := (*json.UnmarshalTypeError)(nil); errors.As(err, &kind) {
		refusal.Fields[0].Pointer = "/" + strings.ReplaceAll(kind.Field, ".", "/")
	}
	refusal.Err = err
	return refusal
}

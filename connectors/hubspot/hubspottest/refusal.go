package hubspottest

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// refusal is HubSpot's envelope of an error. Every member may be missing [doc].
type refusal struct {
	Status        string              `json:"status"`
	Message       string              `json:"message"`
	CorrelationID string              `json:"correlationId"`
	Category      string              `json:"category,omitempty"`
	Context       map[string][]string `json:"context,omitempty"`
	Errors        []inner             `json:"errors,omitempty"`
	Links         map[string]string   `json:"links,omitempty"`
}

type inner struct {
	Message string              `json:"message"`
	Context map[string][]string `json:"context,omitempty"`
}

// refuse answers with the envelope. The id in it is that of the header [obs].
func refuse(w http.ResponseWriter, status int, r refusal) {
	r.Status, r.CorrelationID = "error", correlate(w)
	write(w, status, r)
}

// correlate draws the id of an answer and puts it into the header.
func correlate(w http.ResponseWriter) string {
	id := uuid()
	w.Header().Set("X-Hubspot-Correlation-Id", id)
	return id
}

func invalid(w http.ResponseWriter, message string) {
	refuse(w, http.StatusBadRequest, refusal{Message: message, Category: "VALIDATION_ERROR"})
}

// badJSON names the place, as HubSpot does [doc].
func badJSON(w http.ResponseWriter, body []byte, err error) {
	offset := int64(len(body))
	if at := (*json.SyntaxError)(nil); errors.As(err, &at) {
		offset = at.Offset
	}
	if at := (*json.UnmarshalTypeError)(nil); errors.As(err, &at) {
		offset = at.Offset
	}
	before := string(body[:min(offset, int64(len(body)))])
	line := strings.Count(before, "\n") + 1
	column := len(before) - strings.LastIndex(before, "\n") - 1
	invalid(w, fmt.Sprintf("Invalid input JSON on line %d, column %d: %s", line, max(column, 1), "Unexpected character or end of input"))
}

// The three refusals of a token [obs].
func expiredToken(w http.ResponseWriter, now, end time.Time) {
	refuse(w, http.StatusUnauthorized, refusal{
		Category: "EXPIRED_AUTHENTICATION",
		Message:  fmt.Sprintf("The OAuth token used to make this call expired %d second(s) ago.", int(now.Sub(end).Seconds())),
		Context:  map[string][]string{"expire time": {end.UTC().Format("2006-01-02T15:04:05Z")}},
	})
}

func undecodableToken(w http.ResponseWriter, now time.Time) {
	refuse(w, http.StatusUnauthorized, refusal{
		Category: "EXPIRED_AUTHENTICATION",
		Message:  fmt.Sprintf("The OAuth token used to make this call expired %d day(s) ago.", int(now.Sub(time.Unix(0, 0)).Hours()/24)),
		Context:  map[string][]string{"expire time": {"1970-01-01T00:00:00Z"}},
	})
}

func unknownToken(w http.ResponseWriter) {
	w.Header().Set("X-Hubspot-Auth-Failure", "401 Unauthorized")
	refuse(w, http.StatusUnauthorized, refusal{
		Category: "INVALID_AUTHENTICATION",
		Message: "Authentication credentials not found. This API supports OAuth 2.0 authentication and you can find more " +
			"details at https://developers.hubspot.com/docs/methods/auth/oauth-overview",
	})
}

// The two refusals of a scope [obs].
func missingScopes(w http.ResponseWriter, scopes []string) {
	const message = "This app hasn't been granted all required scopes to make this call. Read more about required scopes here: https://developers.hubspot.com/scopes."
	refuse(w, http.StatusForbidden, refusal{
		Category: "MISSING_SCOPES", Message: message, Links: map[string]string{"scopes": "https://developers.hubspot.com/scopes"},
		Errors: []inner{{Message: "One or more of the following scopes are required.", Context: map[string][]string{"requiredGranularScopes": scopes}}},
	})
}

func noPermission(w http.ResponseWriter) {
	refuse(w, http.StatusForbidden, refusal{Message: "This oauth-token (CK…) does not have proper permissions! (requires any of [contacts-read])"})
}

// The refusals of a record and of a route [obs].
func noSuchRecord(w http.ResponseWriter) {
	refuse(w, http.StatusNotFound, refusal{Message: "resource not found"})
}

func notNumeric(w http.ResponseWriter, id string) {
	refuse(w, http.StatusNotFound, refusal{
		Category: "OBJECT_NOT_FOUND", Message: "Object not found.  objectId are usually numeric.", Context: map[string][]string{"id": {id}},
	})
}

func noSuchType(w http.ResponseWriter, name string) {
	refuse(w, http.StatusNotFound, refusal{Message: "Unable to infer object type from: " + name})
}

func notARoute(w http.ResponseWriter, _ *http.Request) {
	page(w, http.StatusNotFound, "<html><head><title>Error 404 Not Found</title></head><body><h2>HTTP ERROR 404</h2></body></html>")
}

func page(w http.ResponseWriter, status int, html string) {
	w.Header().Set("Content-Type", "text/html;charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(html))
}

package livesupporti

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
)

// Field is one line of the details: what the agent reads at the left and at the
// right of it.
type Field struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Posted is the content of one request that sends details.
type Posted struct {
	AccountID Scalar  `json:"AccountId"`
	AgentID   Scalar  `json:"AgentId"`
	VisitorID Scalar  `json:"VisitorId"`
	Fields    []Field `json:"Fields"`
}

// Details renders the documented body of POST visitors/{id}/details:
//
//	{"AccountId":…,"AgentId":…,"VisitorId":…,"Fields":[{"name":…,"value":…}]}
//
// The same arguments always give the same bytes. The ids go back as they came;
// a zero agent is written as null. Text is not escaped for HTML. It is an error
// to have no account, no visitor, or a field without a name.
func Details(account, agent, visitor Scalar, fields []Field) ([]byte, error) {
	if account.IsZero() || visitor.IsZero() {
		return nil, errors.New("details: the account id and the visitor id are needed")
	}
	for i, field := range fields {
		if field.Name == "" {
			return nil, fmt.Errorf("details: field %d has no name", i+1)
		}
	}
	if fields == nil {
		fields = []Field{}
	}
	body, err := marshal(Posted{AccountID: account, AgentID: agent, VisitorID: visitor, Fields: fields})
	if err != nil {
		return nil, fmt.Errorf("details: %w", err)
	}
	return body, nil
}

// ParseDetails reads such a body back. It holds the body to the documented
// form: these four properties and no others, each spelled as documented, ids
// that are strings or numbers, and fields whose name and value are strings. The
// agent may be null or absent. Errors name the place and never quote the body.
func ParseDetails(body []byte) (Posted, error) {
	members, err := object(body, "the body", "AccountId", "AgentId", "VisitorId", "Fields")
	if err != nil {
		return Posted{}, err
	}
	var posted Posted
	ids := []struct {
		name     string
		id       *Scalar
		optional bool
	}{
		{"AccountId", &posted.AccountID, false},
		{"AgentId", &posted.AgentID, true},
		{"VisitorId", &posted.VisitorID, false},
	}
	for _, want := range ids {
		id, ok := readScalar(members[want.name])
		if !ok {
			return Posted{}, fmt.Errorf("%s must be a string or a number", want.name)
		}
		if id.IsZero() && !want.optional {
			return Posted{}, fmt.Errorf("%s is missing", want.name)
		}
		*want.id = id
	}
	posted.Fields, err = parseFields(members["Fields"])
	if err != nil {
		return Posted{}, err
	}
	return posted, nil
}

func parseFields(raw json.RawMessage) ([]Field, error) {
	var elements []json.RawMessage
	if len(raw) == 0 || json.Unmarshal(raw, &elements) != nil || elements == nil {
		return nil, errors.New("a Fields array is needed")
	}
	fields := make([]Field, len(elements))
	for i, element := range elements {
		place := fmt.Sprintf("Fields[%d]", i)
		members, err := object(element, place, "name", "value")
		if err != nil {
			return nil, err
		}
		for name, text := range map[string]*string{"name": &fields[i].Name, "value": &fields[i].Value} {
			scalar, ok := readScalar(members[name])
			if !ok || !scalar.IsText() {
				return nil, fmt.Errorf("%s.%s must be a string", place, name)
			}
			*text = scalar.String()
		}
		if fields[i].Name == "" {
			return nil, fmt.Errorf("%s.name is empty", place)
		}
	}
	return fields, nil
}

// object reads a JSON object that may have the named properties only, in
// exactly this spelling.
func object(raw []byte, place string, names ...string) (map[string]json.RawMessage, error) {
	var members map[string]json.RawMessage
	if json.Unmarshal(raw, &members) != nil || members == nil {
		return nil, fmt.Errorf("%s is not a JSON object", place)
	}
	for name := range members {
		if !slices.Contains(names, name) {
			return nil, fmt.Errorf("%s has a property that is not documented", place)
		}
	}
	return members, nil
}

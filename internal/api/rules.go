package api

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/routers"
	"github.com/gin-gonic/gin"

	"sidecard/internal/api/contract"
	"sidecard/internal/hub"
)

const jsonType = "application/json"

// rules are the contract's operations, by method and gin's path.
type rules map[string]operation

// operation is what the contract says about one route.
type operation struct {
	route  *routers.Route
	public bool            // needs no access token
	role   hub.Role        // the least role that may; empty when public
	scope  hub.Scope       // what an API token needs; empty when only people may
	bare   bool            // may be done by who lacks the second factor that the tenant requires
	body   string          // the media type it takes; empty when it takes none
	query  map[string]bool // the names of its query parameters
}

// contractRules are those of the contract. Reading them takes a while, and nothing changes them.
var contractRules = sync.OnceValues(func() (rules, error) { return readRules(contract.Document) })

// readRules reads the contract. It fails when the document is not valid OpenAPI, or says something that the
// middleware would not enforce.
func readRules(document []byte) (rules, error) {
	doc, err := openapi3.NewLoader().LoadFromData(document)
	if err != nil {
		return nil, fmt.Errorf("read contract: %w", err)
	}
	if err := doc.Validate(context.Background()); err != nil {
		return nil, fmt.Errorf("contract: %w", err)
	}
	protected := len(doc.Security) > 0
	doc.Security = nil // kin-openapi would read the whole body to look at it; authenticate does that part
	rs := rules{}
	for path, item := range doc.Paths.Map() {
		for method, o := range item.Operations() {
			op := operation{
				route:  &routers.Route{Spec: doc, Path: path, PathItem: item, Method: method, Operation: o},
				public: !protected,
				query:  map[string]bool{},
			}
			if o.Security != nil {
				op.public, o.Security = len(*o.Security) == 0, nil
			}
			if err := op.readGuard(o); err != nil {
				return nil, fmt.Errorf("contract: %s %s: %w", method, path, err)
			}
			if o.RequestBody != nil {
				if len(o.RequestBody.Value.Content) != 1 {
					return nil, fmt.Errorf("contract: %s %s must take one media type", method, path)
				}
				for mediaType := range o.RequestBody.Value.Content {
					op.body = mediaType
				}
			}
			for _, p := range o.Parameters {
				if p.Value.In == openapi3.ParameterInQuery {
					op.query[p.Value.Name] = true
				}
			}
			rs[method+" "+ginPath(path)] = op
		}
	}
	return rs, nil
}

// readGuard reads who may. An operation that does not say so is never served.
func (op *operation) readGuard(o *openapi3.Operation) error {
	role, scope := extension(o, "x-role"), extension(o, "x-scope")
	if op.public {
		if role != "" || scope != "" {
			return errors.New("it is public and names a role or scope")
		}
		return nil
	}
	if op.role = hub.Role(role); !op.role.Known() {
		return fmt.Errorf("x-role %q is none", role)
	}
	if scope == "" {
		return errors.New("x-scope is missing; none means that only people may")
	}
	if scope != noScope {
		op.scope = hub.Scope(scope)
		if !contract.Scope(scope).Valid() {
			return fmt.Errorf("x-scope %q is none", scope)
		}
	}
	op.bare = extension(o, "x-without-second-factor") == "true"
	return nil
}

// noScope stands for operations that no API token may do.
const noScope = "none"

func extension(o *openapi3.Operation, name string) string {
	switch v := o.Extensions[name].(type) {
	case string:
		return v
	case bool:
		return strconv.FormatBool(v)
	}
	return ""
}

// ginPath writes a path of the contract as gin does: /chats/{chat_id} becomes /chats/:chat_id.
func ginPath(path string) string { return strings.NewReplacer("{", ":", "}", "").Replace(path) }

// of finds the rule for a request. Every route that asks is in the document: a test compares them.
func (rs rules) of(c *gin.Context) operation {
	op, ok := rs[c.Request.Method+" "+c.FullPath()]
	if !ok {
		panic("no rule for " + c.FullPath())
	}
	return op
}

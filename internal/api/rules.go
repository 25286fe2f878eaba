package api

import (
	"context"
	"fmt"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/routers"
	"github.com/gin-gonic/gin"
)

const jsonType = "application/json"

// rules are the contract's operations, by method and gin's path.
type rules map[string]operation

// operation is what the contract says about one route.
type operation struct {
	route  *routers.Route
	public bool            // needs no access token
	body   string          // the media type it takes; empty when it takes none
	query  map[string]bool // the names of its query parameters
}

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

// Package contract holds the description of the API, openapi.yaml, and what is generated from it. It refuses
// everything else: no handler, no rule, no helper.
package contract

import _ "embed" // for the document

//go:generate go run github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen@v2.8.2 -config oapi-codegen.yaml openapi.yaml

// Document is openapi.yaml, OpenAPI 3.0.3.
//
//go:embed openapi.yaml
var Document []byte

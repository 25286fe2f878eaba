package api

import (
	"context"
	"net/http"

	"github.com/gin-gonic/gin"

	"sidecard/internal/api/contract"
	"sidecard/internal/hub"
)

// live says that the process answers. It asks nobody else, so that trouble elsewhere restarts nothing here.
func (f *face) live(c *gin.Context) { c.Data(http.StatusOK, "text/plain", []byte("ok")) }

// ready says whether requests can be served now, and when not, what is missing in words for everybody.
func (f *face) ready(c *gin.Context) {
	ctx, cancel := context.WithTimeout(c.Request.Context(), readyTime)
	defer cancel()
	if err := f.Ready(ctx); err != nil {
		message := "Sidecard cannot serve requests yet."
		if e, _ := told(err); e.Code != hub.CodeInternal {
			message = e.Message
		}
		f.fail(c, &hub.Error{Code: hub.CodeUnavailable, Message: message, Err: err})
		return
	}
	c.Data(http.StatusOK, "text/plain", []byte("ok"))
}

// document gives the contract itself.
func (f *face) document(c *gin.Context) { c.Data(http.StatusOK, "application/yaml", contract.Document) }

// jwks gives the public keys of access tokens, for programs that check tokens themselves. A new key is in it ten
// minutes before it signs.
func (f *face) jwks(c *gin.Context) {
	c.Header("Cache-Control", "public, max-age=300")
	c.Data(http.StatusOK, "application/jwk-set+json", f.Hub.Tokens.JWKS())
}

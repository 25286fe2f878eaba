package api

import (
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"

	"sidecard/internal/api/contract"
	"sidecard/internal/hub"
)

// routes lays every route. Those below /api are the contract's: each needs a valid access token, of somebody whose role
// and scope allow it, unless the document says otherwise, and each request is checked against the document before its
// handler runs.
func (f *face) routes(e *gin.Engine) {
	contract.RegisterHandlersWithOptions(
		e.Group("", f.notStored, f.sameOrigin, f.authenticate, f.authorize, f.validate), f.strict(), contract.GinServerOptions{ErrorHandler: f.badParameter})

	callback := e.Group("/hooks/:token", f.notStored, f.callbackSeen)
	callback.GET("", f.echo)
	callback.HEAD("", f.echo)
	callback.OPTIONS("", f.preflight)
	callback.POST("", f.notification)

	f.health(e)
	read(e, "/openapi.yaml", f.document)
	read(e, "/.well-known/jwks.json", f.jwks)
	read(e, "/docs", f.docs)
	read(e, "/docs/*page", f.docs)
	e.NoRoute(f.elsewhere)
}

func (f *face) health(e *gin.Engine) {
	read(e, "/livez", f.live)
	read(e, "/readyz", f.ready)
}

func read(e *gin.Engine, path string, handler gin.HandlerFunc) {
	e.GET(path, handler)
	e.HEAD(path, handler)
}

// strict makes gin handlers of the operations; whatever one of them returns as an error becomes a problem.
func (f *face) strict() contract.ServerInterface {
	return contract.NewStrictHandlerWithOptions(operations{hub: f.Hub, now: f.Now, cookies: cookies{f.https}}, nil, contract.StrictGinServerOptions{
		RequestErrorHandlerFunc:  f.badBody,
		HandlerErrorFunc:         f.fail,
		ResponseErrorHandlerFunc: f.fail,
	})
}

// elsewhere answers what no route fits: a problem where programs ask, the portal where people do.
func (f *face) elsewhere(c *gin.Context) {
	for _, programs := range []string{"/api", "/hooks", "/livez", "/readyz", "/openapi.yaml", "/.well-known"} {
		if rest, ok := strings.CutPrefix(c.Request.URL.Path, programs); ok && (rest == "" || rest[0] == '/') {
			f.nowhere(c)
			return
		}
	}
	recordOf(c).route = "portal"
	if c.Request.Method != http.MethodGet && c.Request.Method != http.MethodHead {
		c.Header("Allow", "GET, HEAD")
		f.wrongMethod(c)
		return
	}
	c.Status(http.StatusOK) // gin presumes 404 here; the portal decides itself
	f.Portal.ServeHTTP(c.Writer, c.Request)
}

// nowhere answers what nobody answers.
func (f *face) nowhere(c *gin.Context) {
	f.fail(c, &hub.Error{Code: hub.CodeNotFound, Message: "There is nothing at this address."})
}

func (f *face) docs(c *gin.Context) { f.Docs.ServeHTTP(c.Writer, c.Request) }

// wrongMethod answers a known path with a method it does not have. Allow is set already.
func (f *face) wrongMethod(c *gin.Context) {
	f.fail(c, &hub.Error{Code: codeWrongMethod, Message: "This address does not take that method; the Allow header lists what it takes."})
}

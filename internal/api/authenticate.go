package api

import (
	"context"
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"

	"sidecard/internal/hub"
)

// maxToken bounds an access token; ours have about 400 bytes.
const maxToken = 4 << 10

type actorKey struct{}

// authenticate lets a request pass that brings a valid access token, or needs none. It comes before anything reads
// the body, and puts the actor into the request's context.
func (f *face) authenticate(c *gin.Context) {
	if f.rules.of(c).public {
		return
	}
	token, err := bearer(c.Request.Header)
	if err != nil {
		f.fail(c, err)
		return
	}
	actor, err := f.Hub.Authenticate(c.Request.Context(), token)
	if err == nil {
		err = f.Hub.LimitCalls(c.Request.Context(), actor)
	}
	if err != nil {
		f.fail(c, err)
		return
	}
	recordOf(c).actor = actor
	c.Request = c.Request.WithContext(context.WithValue(c.Request.Context(), actorKey{}, actor))
}

// authorize lets a request pass whose actor may do this operation. What the contract does not grant is refused.
func (f *face) authorize(c *gin.Context) {
	op := f.rules.of(c)
	if op.public {
		return
	}
	a := recordOf(c).actor
	switch {
	case a.FactorMissing && !op.bare:
		f.fail(c, &hub.Error{Code: hub.CodeFactorMissing, Message: "This tenant requires a second factor. Set one up first, under your account."})
	case !a.Role.AtLeast(op.role):
		f.fail(c, &hub.Error{Code: hub.CodeForbidden, Message: "This needs the role " + string(op.role) + " or more, and yours is " + string(a.Role) + ". An owner of the tenant can change that."})
	case a.IsToken() && op.scope == "":
		f.fail(c, &hub.Error{Code: hub.CodeForbidden, Message: "Only people may do this, signed in. An API token cannot."})
	case !a.May(op.role, op.scope):
		f.fail(c, &hub.Error{Code: hub.CodeForbidden, Message: "This token does not have the scope " + string(op.scope) + ". Make one that has."})
	}
}

func bearer(h http.Header) (string, error) {
	values := h.Values("Authorization")
	if len(values) == 0 {
		return "", &hub.Error{Code: hub.CodeUnauthenticated, Message: "Sign in first, and send the access token as Authorization: Bearer."}
	}
	scheme, token, ok := strings.Cut(values[0], " ")
	token = strings.TrimSpace(token)
	if len(values) > 1 || !ok || !strings.EqualFold(scheme, "Bearer") || token == "" || len(token) > maxToken {
		return "", &hub.Error{Code: hub.CodeUnauthenticated, Message: "The Authorization header must be Bearer and one access token."}
	}
	return token, nil
}

// member gives the request's own context and who asks. What strict handlers are given is gin's context, which gin
// uses again for the next request; work that outlives this one by a moment must not hold it. Without an actor it
// panics: no operation that asks for one is ever reached without.
func member(ctx context.Context) (context.Context, hub.Actor) {
	ctx = anyone(ctx)
	return ctx, ctx.Value(actorKey{}).(hub.Actor)
}

// anyone gives the request's own context where no token is needed.
func anyone(ctx context.Context) context.Context { return ctx.(*gin.Context).Request.Context() }

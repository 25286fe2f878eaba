package api

import (
	"context"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"sidecard/internal/hub"
)

// cookies keeps a browser's refresh token where no script can read it.
type cookies struct{ https bool }

// name is that of the cookie. Browsers take one that begins with __Host- only by https, from this very host.
func (c cookies) name() string {
	if c.https {
		return "__Host-sidecard"
	}
	return "sidecard"
}

func (c cookies) read(ctx context.Context) string {
	cookie, err := ctx.(*gin.Context).Request.Cookie(c.name())
	if err != nil {
		return ""
	}
	return cookie.Value
}

func (c cookies) set(ctx context.Context, token string, ttl time.Duration) {
	http.SetCookie(ctx.(*gin.Context).Writer, &http.Cookie{
		Name: c.name(), Value: token, Path: "/", MaxAge: int(ttl.Round(time.Second) / time.Second),
		Secure: c.https, HttpOnly: true, SameSite: http.SameSiteStrictMode,
	})
}

func (c cookies) clear(ctx context.Context) { c.set(ctx, "", -time.Second) }

// sameOrigin refuses what another site's page lets a browser send: the routes without an access token begin and renew
// sessions, by a cookie among others. Programs send neither of the headers that it looks at.
func (f *face) sameOrigin(c *gin.Context) {
	if !f.rules.of(c).public {
		return
	}
	if err := f.origins.Check(c.Request); err != nil {
		f.fail(c, &hub.Error{Code: hub.CodeForbidden, Message: "A page of another site may not ask this.", Err: err})
	}
}

package api

import (
	"io"
	"log/slog"
	"net/http"
	"regexp"
	"strings"

	"github.com/gin-gonic/gin"

	"sidecard/internal/hub"
	"sidecard/internal/livesupporti"
)

// callbackSeen notes the beginning of the token, enough to tell callbacks apart in the log and not enough to call
// one. It also lets LiveSupporti's own pages, and no others, read the answers: LiveSupporti documents that its check
// of a URL needs CORS.
func (f *face) callbackSeen(c *gin.Context) {
	r := recordOf(c)
	r.more = append(r.more, slog.String("token", beginning(c.Param("token"))))
	h := c.Writer.Header()
	h.Add("Vary", "Origin")
	if origin := c.GetHeader("Origin"); livesupporti.OriginAllowed(origin) {
		h.Set("Access-Control-Allow-Origin", origin)
	}
}

func beginning(token string) string {
	if len(token) <= 4 {
		return "…"
	}
	return strings.ToValidUTF8(token[:4], "?") + "…"
}

// echo answers LiveSupporti's check of the URL: the value it sent, byte for byte and nothing else. Values that could
// mean something to a browser are refused.
func (f *face) echo(c *gin.Context) {
	values := c.Request.URL.Query()["echo"]
	if len(values) != 1 || !livesupporti.EchoValue(values[0]) {
		f.fail(c, &hub.Error{
			Code:    hub.CodeInvalid,
			Message: "This address is for LiveSupporti: put it into a WebHook there. Opened without LiveSupporti's echo parameter it shows nothing.",
			Fields:  []hub.FieldError{{Pointer: "echo", Detail: "Send it once, with 1 to 128 letters, digits or . _ ~ -"}},
		})
		return
	}
	if err := f.Hub.Echo(c.Request.Context(), c.Param("token")); err != nil {
		f.refuse(c, err)
		return
	}
	c.Data(http.StatusOK, "text/plain", []byte(values[0]))
}

var headerNames = regexp.MustCompile(`^[A-Za-z0-9-]+( *, *[A-Za-z0-9-]+)*$`)

// preflight answers a browser that asks before it sends. It says nothing about the token.
func (f *face) preflight(c *gin.Context) {
	h := c.Writer.Header()
	h.Set("Allow", "GET, HEAD, OPTIONS, POST")
	h.Add("Vary", "Access-Control-Request-Headers")
	if h.Get("Access-Control-Allow-Origin") != "" {
		h.Set("Access-Control-Allow-Methods", "GET, POST, OPTIONS")
		h.Set("Access-Control-Allow-Headers", "Content-Type")
		if asked := c.GetHeader("Access-Control-Request-Headers"); len(asked) <= 500 && headerNames.MatchString(asked) {
			h.Set("Access-Control-Allow-Headers", asked)
		}
		h.Set("Access-Control-Max-Age", "600")
	}
	c.Status(http.StatusNoContent)
}

// notification takes one firing of a WebHook. The sender repeats it after anything but a 2xx, and only twice; so a
// 200 is sent once nothing can be lost, and our own failures are a 503.
func (f *face) notification(c *gin.Context) {
	if encoded(c.Request) {
		f.fail(c, errEncoded)
		return
	}
	in, err := f.incoming(c)
	if err != nil {
		f.fail(c, &hub.Error{Code: hub.CodeInvalid, Message: "The request did not arrive completely.", Err: err})
		return
	}
	receipt, err := f.Hub.Receive(c.Request.Context(), in)
	if err != nil {
		f.refuse(c, err)
		return
	}
	r := recordOf(c)
	r.more = append(r.more,
		slog.Int("fresh", receipt.Fresh), slog.Int("repeated", receipt.Repeated), slog.Int("not_chats", receipt.NotChats))
	c.Data(http.StatusOK, "text/plain", []byte("ok"))
}

// incoming reads the body as it is, and no more of it than a notification may have.
func (f *face) incoming(c *gin.Context) (hub.Incoming, error) {
	limit := f.Hub.Limits.MaxBody
	in := hub.Incoming{
		Token:     c.Param("token"),
		Signature: c.Request.Header.Values("ms-signature"),
		Headers:   keptHeaders(c.Request.Header),
		Bytes:     c.Request.ContentLength,
		TooLarge:  c.Request.ContentLength > limit,
		Began:     recordOf(c).began,
	}
	if in.TooLarge {
		return in, nil
	}
	body, err := io.ReadAll(io.LimitReader(c.Request.Body, limit+1))
	in.Bytes = int64(len(body))
	if in.TooLarge = in.Bytes > limit; !in.TooLarge {
		in.Body = body
	}
	return in, err
}

// keptHeaders picks the headers that explain a refused request and give nothing away.
func keptHeaders(all http.Header) map[string]string {
	kept := map[string]string{}
	for _, name := range []string{"Content-Type", "User-Agent", "Via"} {
		if value := all.Get(name); value != "" {
			kept[name] = strings.ToValidUTF8(value[:min(len(value), 200)], "?")
		}
	}
	return kept
}

// refuse answers for the hub. Whatever is our own fault is a 503 here, so that the sender tries again.
func (f *face) refuse(c *gin.Context, err error) {
	if _, status := told(err); status >= http.StatusInternalServerError {
		err = &hub.Error{Code: hub.CodeUnavailable, Message: "This could not be kept. Please send it again in a moment.", Err: err}
	}
	f.fail(c, err)
}

var errEncoded = error(&hub.Error{Code: codeMediaType, Message: "Send the body as it is, without a Content-Encoding."})

// encoded says whether the body is packed in some way.
func encoded(r *http.Request) bool {
	e := r.Header.Get("Content-Encoding")
	return e != "" && !strings.EqualFold(e, "identity")
}

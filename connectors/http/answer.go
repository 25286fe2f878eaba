package http

import (
	"context"
	"errors"
	"io"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

const (
	// maxBody is the longest answer in bytes, after decompression. It is below the host's own bound, so that people
	// are told which it is.
	maxBody = 512 << 10
	// drained is how much of an answer without use is read, so that its connection can be used again.
	drained = 16 << 10
)

// answer is what the API said about one address.
type answer struct {
	root    *node // nil = it knows nobody, by the status
	status  int   // 0 = it was not asked
	webPage bool  // it knows nobody, and says so with a page for people
}

// ask puts the question. The status is there with an error, too, if the API has answered. A refused OAuth2 token is
// renewed once; nothing else is tried twice.
func (s *source) ask(ctx context.Context, email string) (answer, error) {
	if !canBeAddress(email) {
		return answer{}, nil
	}
	if s.tokens == nil {
		return s.askOnce(ctx, email, "")
	}
	token, err := s.tokens.get(ctx, "")
	if err != nil {
		return answer{}, err
	}
	a, err := s.askOnce(ctx, email, token)
	if !isUnauthorized(err) {
		return a, err
	}
	if token, err = s.tokens.get(ctx, token); err != nil {
		return a, err
	}
	return s.askOnce(ctx, email, token)
}

func (s *source) askOnce(ctx context.Context, email, token string) (answer, error) {
	r, ok := s.question.request(ctx, email)
	if !ok {
		return answer{}, nil // the API has nobody whose address this is
	}
	s.signIn.sign(r, token)
	resp, err := s.client.Do(r)
	if err != nil {
		return answer{}, networkFailure(ctx, err)
	}
	defer resp.Body.Close()
	a := answer{status: resp.StatusCode}
	switch {
	case slices.Contains(s.choice.notFound, strconv.Itoa(resp.StatusCode)):
		_, _ = io.CopyN(io.Discard, resp.Body, drained) // the answer is known
		a.webPage = isWebPage(resp)
		return a, nil
	case resp.StatusCode < 200 || resp.StatusCode >= 300:
		_, _ = io.CopyN(io.Discard, resp.Body, drained)
		return a, s.statusFailure(resp)
	}
	body, err := readBody(ctx, resp)
	if err != nil {
		return a, err
	}
	if a.root, err = decode(body); err != nil {
		return a, notJSON(resp, body, err)
	}
	return a, nil
}

var (
	errTooLarge = errors.New("the answer is too large")
	errPacked   = errors.New("the answer is compressed in a way nobody asked for")
	errCut      = errors.New("the answer broke off")
)

// readBody reads an answer's body up to the bound.
func readBody(ctx context.Context, resp *http.Response) ([]byte, error) {
	if resp.Header.Get("Content-Encoding") != "" { // what the client asked for, it has undone
		return nil, unreadable(ctx, errPacked)
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxBody+1))
	if len(body) > maxBody {
		err = errTooLarge
	}
	if err != nil {
		return nil, unreadable(ctx, err)
	}
	return body, nil
}

// mediaType gives the type that an answer says it has, "" when it says none.
func mediaType(resp *http.Response) string {
	t, _, err := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	if err != nil {
		return ""
	}
	return t
}

func isWebPage(resp *http.Response) bool { return strings.Contains(mediaType(resp), "html") }

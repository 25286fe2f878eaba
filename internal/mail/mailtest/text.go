package mailtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"strings"
)

// Text is the message's plain text, with \n.
func (r Received) Text() (string, error) {
	message, err := mail.ReadMessage(bytes.NewReader(r.Data))
	if err != nil {
		return "", fmt.Errorf("read message: %w", err)
	}
	_, params, err := mime.ParseMediaType(message.Header.Get("Content-Type"))
	if err != nil {
		return "", fmt.Errorf("read message: %w", err)
	}
	parts := multipart.NewReader(message.Body, params["boundary"])
	for {
		part, err := parts.NextRawPart()
		if errors.Is(err, io.EOF) {
			return "", errors.New("read message: it has no plain text")
		}
		if err != nil {
			return "", fmt.Errorf("read message: %w", err)
		}
		if strings.HasPrefix(part.Header.Get("Content-Type"), "text/plain") {
			text, err := io.ReadAll(quotedprintable.NewReader(part))
			return strings.ReplaceAll(string(text), "\r\n", "\n"), err
		}
	}
}

// WaitTo gives the newest message to an address as soon as there is one.
func (s *Server) WaitTo(ctx context.Context, to string) (Received, error) {
	for n := 1; ; n++ {
		received, err := s.Wait(ctx, n)
		for i := len(received) - 1; i >= 0; i-- {
			if strings.EqualFold(received[i].To, to) {
				return received[i], nil
			}
		}
		if err != nil {
			return Received{}, fmt.Errorf("wait for a message: %w", err)
		}
		n = max(n, len(received))
	}
}

package api

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"sidecard/internal/hub"
)

// An upload may take longer than other requests, but must keep moving.
const (
	uploadTime  = 15 * time.Minute // in all
	uploadPause = 30 * time.Second // between two pieces
)

// upload is the body of a file on its way in. It moves the connection's deadline along with the bytes, ends at the
// limit, and remembers why it ended: a file that was cut off must not pass for a whole one.
type upload struct {
	io.ReadCloser
	connection *http.ResponseController
	end        time.Time
	limit      int64
	broke      error
}

// openUpload checks what a request announces about its file, and makes its body one that may take its time.
func (f *face) openUpload(c *gin.Context, mediaType string) error {
	switch {
	case encoded(c.Request):
		return errEncoded
	case !announces(c.Request, mediaType):
		return &hub.Error{Code: codeMediaType, Message: "Send the file itself, with Content-Type: " + mediaType + "."}
	case c.Request.ContentLength > f.MaxUpload:
		return tooLargeFile(f.MaxUpload)
	}
	u := &upload{
		ReadCloser: http.MaxBytesReader(c.Writer, c.Request.Body, f.MaxUpload),
		connection: http.NewResponseController(c.Writer),
		end:        time.Now().Add(uploadTime),
		limit:      f.MaxUpload,
	}
	_ = u.connection.SetWriteDeadline(u.end.Add(writeTime)) // where there is no connection, there is no deadline
	c.Request.Body = u
	return nil
}

// Read implements io.Reader.
func (u *upload) Read(p []byte) (int, error) {
	pause := time.Now().Add(uploadPause)
	if pause.After(u.end) {
		pause = u.end
	}
	_ = u.connection.SetReadDeadline(pause)
	n, err := u.ReadCloser.Read(p)
	switch {
	case errors.Is(err, io.EOF):
		_ = u.connection.SetReadDeadline(u.end.Add(writeTime))
	case err != nil:
		u.broke = err
	}
	return n, err
}

// refusal gives the reason why a file was not taken: that it did not arrive whole comes before whatever the importer
// made of that. What is left of the file is read and dropped, because browsers report a broken connection, and not
// the answer, when they are answered while they send.
func (u *upload) refusal(err error) error {
	if u.broke == nil {
		_, _ = io.Copy(io.Discard, u)
	}
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(u.broke, &tooLarge):
		return tooLargeFile(u.limit)
	case u.broke != nil:
		return &hub.Error{Code: hub.CodeInvalid, Message: "The file did not arrive completely. Please upload it again.", Err: u.broke}
	}
	return err
}

func tooLargeFile(limit int64) error {
	return &hub.Error{Code: hub.CodeTooLarge, Message: fmt.Sprintf("The file is larger than %d MiB. Split it, or leave out columns that no card shows.", limit>>20)}
}

package api

import (
	"archive/zip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"sidecard/internal/api/contract"
	"sidecard/internal/hub"
)

const (
	exportWhole = 2 * time.Hour    // sending all of a tenant's data, at most
	exportPause = 30 * time.Second // for one piece of it
)

// ExportTenant implements contract.StrictServerInterface.
func (o operations) ExportTenant(ctx context.Context, r contract.ExportTenantRequestObject) (contract.ExportTenantResponseObject, error) {
	own, actor := member(ctx)
	data, err := o.hub.BeginExport(own, actor, r.Body.Password)
	if err != nil {
		return nil, err
	}
	takeTime(ctx, exportWhole)
	return &exportFile{o: o, ctx: ctx, data: data, name: "sidecard-" + o.now().UTC().Format(time.DateOnly) + ".zip"}, nil
}

// exportFile sends a tenant's data as a ZIP file, in constant memory.
type exportFile struct {
	o    operations
	ctx  context.Context // of the request, as operations take it
	data *hub.Export
	name string

	zip      *zip.Writer
	problems []exportProblem
}

// exportProblem is something that an export had to leave out.
type exportProblem struct {
	What string `json:"what"`
	Why  string `json:"why"`
}

const exportReadme = `The data of a company, as Sidecard keeps it.

tenant.json       the company and its rules
members.json      who belongs to it
invitations.json  who was invited and has not come yet
tokens.json       API tokens, without the tokens themselves
desk.json         the link to LiveSupporti, without its callback URL and secrets
rejections.json   requests to the callback URL that were refused
connections.json  the sources and their settings, without secrets
cards.json        all versions of the card
usage.json        how much was used
chats.ndjson      a chat on each line, newest first, with the visitor's address; of chats whose details were removed
                  only when they came and how they ended
rows/             a file for each uploaded list, a row on each line
audit.csv         the audit log
problems.json     what could not be read and is missing here; normally []

The JSON is the same that the API answers, see /docs of your Sidecard.
`

// VisitExportTenantResponse implements contract.ExportTenantResponseObject. When the store fails on the way the
// connection is broken off: a file that only looks whole would be worse.
func (f *exportFile) VisitExportTenantResponse(w http.ResponseWriter) error {
	w.Header().Set("Content-Type", "application/zip")
	w.Header().Set("Content-Disposition", `attachment; filename="`+f.name+`"`)
	f.zip = zip.NewWriter(moving{w, http.NewResponseController(w), time.Now().Add(exportWhole)})
	err := f.write()
	if err == nil {
		err = f.zip.Close() // which writes what makes it a whole file
	}
	if err != nil {
		breakOff(err)
	}
	return nil
}

func (f *exportFile) write() error {
	for _, part := range []func() error{f.readme, f.answers, f.chats, f.rows, f.audit} {
		if err := part(); err != nil {
			return err
		}
	}
	if f.problems == nil {
		f.problems = []exportProblem{}
	}
	return f.answer("problems.json", f.problems)
}

func (f *exportFile) readme() error {
	to, err := f.zip.Create("README.txt")
	if err == nil {
		_, err = io.WriteString(to, exportReadme)
	}
	return err
}

// answers writes what single operations answer.
func (f *exportFile) answers() error {
	for _, part := range []struct {
		name string
		ask  func() (any, error)
	}{
		{"tenant.json", func() (any, error) { return f.o.GetTenant(f.ctx, contract.GetTenantRequestObject{}) }},
		{"members.json", func() (any, error) { return f.o.ListMembers(f.ctx, contract.ListMembersRequestObject{}) }},
		{"invitations.json", func() (any, error) { return f.o.ListInvitations(f.ctx, contract.ListInvitationsRequestObject{}) }},
		{"tokens.json", func() (any, error) { return f.o.ListTokens(f.ctx, contract.ListTokensRequestObject{}) }},
		{"desk.json", f.desk},
		{"rejections.json", func() (any, error) { return f.o.ListRejections(f.ctx, contract.ListRejectionsRequestObject{}) }},
		{"connections.json", func() (any, error) { return f.o.ListConnections(f.ctx, contract.ListConnectionsRequestObject{}) }},
		{"cards.json", func() (any, error) { return f.o.ListCardVersions(f.ctx, contract.ListCardVersionsRequestObject{}) }},
		{"usage.json", func() (any, error) { return f.o.GetUsage(f.ctx, contract.GetUsageRequestObject{}) }},
	} {
		answer, err := part.ask()
		if err != nil {
			return err
		}
		if err := f.answer(part.name, answer); err != nil {
			return err
		}
	}
	return nil
}

// desk leaves out the callback URL: whoever has it can send.
func (f *exportFile) desk() (any, error) {
	answer, err := f.o.GetDesk(f.ctx, contract.GetDeskRequestObject{})
	if err != nil {
		return nil, err
	}
	desk := answer.(contract.GetDesk200JSONResponse)
	desk.CallbackUrl = ""
	return desk, nil
}

func (f *exportFile) answer(name string, answer any) error {
	to, err := f.zip.Create(name)
	if err != nil {
		return err
	}
	lines := json.NewEncoder(to)
	lines.SetIndent("", "  ")
	return lines.Encode(answer)
}

// exportedRow is a line of a file in rows/.
type exportedRow struct {
	Line   int               `json:"line"`
	Values map[string]string `json:"values"`
}

func (f *exportFile) chats() error {
	to, err := f.zip.Create("chats.ndjson")
	if err != nil {
		return err
	}
	own, _ := member(f.ctx)
	lines := json.NewEncoder(to)
	return f.data.Chats(own, func(c hub.ExportedChat) error {
		page := presentChatPage(c.View)
		page.Chat.VisitorEmail = some(c.Email)
		return lines.Encode(page)
	}, f.broken)
}

func (f *exportFile) rows() error {
	own, actor := member(f.ctx)
	connections, err := f.o.hub.ListConnections(own, actor)
	if err != nil {
		return err
	}
	for _, c := range connections {
		if c.Connection.Import == nil {
			continue
		}
		to, err := f.zip.Create(fmt.Sprintf("rows/%s.ndjson", c.Connection.ID))
		if err != nil {
			return err
		}
		lines := json.NewEncoder(to)
		err = f.data.Rows(own, c.Connection.ID, func(r hub.ExportedRow) error { return lines.Encode(exportedRow(r)) }, f.broken)
		if err != nil {
			return err
		}
	}
	return nil
}

func (f *exportFile) audit() error {
	own, _ := member(f.ctx)
	text, err := f.data.Audit(own)
	if err != nil {
		return err
	}
	to, err := f.zip.Create("audit.csv")
	if err == nil {
		_, err = io.Copy(to, text)
	}
	return err
}

// broken notes what is left out. The reason is for people: that it cannot be opened, not how that failed.
func (f *exportFile) broken(what string, err error) error {
	why := "It cannot be read: what was kept is damaged, or its key is gone."
	if known := (*hub.Error)(nil); errors.As(err, &known) {
		why = known.Message
	}
	f.problems = append(f.problems, exportProblem{what, why})
	return nil
}

// moving is a connection that may take its time, but must keep moving.
type moving struct {
	io.Writer
	connection *http.ResponseController
	end        time.Time
}

// Write implements io.Writer.
func (m moving) Write(p []byte) (int, error) {
	pause := time.Now().Add(exportPause)
	if pause.After(m.end) {
		pause = m.end
	}
	_ = m.connection.SetWriteDeadline(pause) // where there is no connection, there is no deadline
	return m.Writer.Write(p)
}

package hub

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"sidecard/connectors"
)

// ImportFile reads a file into a connection. The rows become active all at once at the end; when the
// file can't be used, the rows before it stay.
func (h *Hub) ImportFile(ctx context.Context, a Actor, id ID, filename, emailColumn string, file io.Reader) (ImportResult, error) {
	t := h.Store.Tenant(a.TenantID)
	c, err := t.Connection(ctx, id)
	if err != nil {
		return ImportResult{}, err
	}
	connector, _ := h.Connectors.Find(c.Kind)
	importer, ok := connector.(connectors.Importer)
	if !ok {
		return ImportResult{}, fail(CodeConflict, "This connection asks its source directly; there is no file to upload.")
	}
	if emailColumn == "" {
		var settings connectors.Settings
		if err := json.Unmarshal(c.Settings, &settings); err != nil {
			return ImportResult{}, fmt.Errorf("settings of connection %s: %w", c.ID, err)
		}
		emailColumn = settings.String("email_column", "")
	}
	index, err := h.indexKey(ctx, t)
	if err != nil {
		return ImportResult{}, err
	}
	limits, others, err := rowsOfOthers(ctx, t, id)
	if err != nil {
		return ImportResult{}, err
	}
	if err := h.keys.Hold(ctx, a.TenantID); err != nil {
		return ImportResult{}, err
	}
	result := ImportResult{At: h.Now(), Filename: safeFilename(filename)}
	audited, entry := h.auditing(ctx, a, "connection.file_imported")
	entry.about(c.ID, c.Name)
	_, err = t.ReplaceRows(audited, id, func(w RowWriter) error {
		sink := &sealedSink{ctx: ctx, hub: h, tenant: a.TenantID, connection: id, index: index, to: w, limits: limits, rows: others}
		var err error
		result.Report, err = importer.Import(ctx, file, connectors.ImportOptions{EmailColumn: emailColumn}, sink)
		return err
	}, func(c *Connection) {
		entry.After = map[string]any{"filename": result.Filename, "rows": result.Report.Rows, "rejected": result.Report.Rejected}
		c.Import, c.Check, c.UpdatedAt = &result, nil, h.Now()
	})
	return result, fileRefusal(err)
}

// rowsOfOthers gives the tenant's limits and how many rows its other connections have.
func rowsOfOthers(ctx context.Context, t TenantStore, id ID) (Plan, int, error) {
	tenant, err := t.Tenant(ctx)
	if err != nil || tenant.Limits().CSVRows == 0 {
		return Plan{}, 0, err
	}
	all, err := t.Connections(ctx)
	return tenant.Limits(), RowsIn(slices.DeleteFunc(all, func(c Connection) bool { return c.ID == id })), err
}

// fileRefusal says what is wrong with the file, and in which line.
func fileRefusal(err error) error {
	if CodeOf(err) == CodeQuota {
		return err
	}
	e := (*connectors.Error)(nil)
	if !errors.As(err, &e) {
		return err
	}
	return &Error{
		Code: CodeBadFile, Message: e.Message, Err: e,
		Fields: []FieldError{{Pointer: "/" + e.Field, Detail: strings.TrimSpace(e.Message + " " + e.Fix), Line: e.Line}},
	}
}

func safeFilename(name string) string {
	name = strings.Map(func(r rune) rune {
		if r < ' ' || r == utf8.RuneError {
			return -1
		}
		return r
	}, name[strings.LastIndexAny(name, `/\`)+1:])
	return truncate(name, 200)
}

// sealedSink seals the rows of an import on their way to the store.
type sealedSink struct {
	ctx        context.Context // of the import: a sink takes rows without one
	hub        *Hub
	tenant     ID
	connection ID
	index      []byte
	to         RowWriter
	limits     Plan // of the tenant; its rows are counted again when the load counts
	rows       int  // of all the tenant's connections, so far
}

func (s *sealedSink) Columns([]string, string) error { return nil } // kept with the import's report

func (s *sealedSink) Row(line int, email string, values []string) error {
	s.rows++
	if err := s.limits.AllowCSVRows(s.rows); err != nil {
		return atLine(err, line)
	}
	plain, err := json.Marshal(values)
	if err != nil {
		return err
	}
	sealed, err := s.hub.seal(s.ctx, rowRef(s.tenant, s.connection, line), plain)
	if err != nil {
		return err
	}
	return s.to.WriteRow(Row{Line: line, Index: indexOf(s.index, s.connection, email), Data: sealed})
}

// atLine says at which line of the file a plan's limit was reached.
func atLine(err error, line int) error {
	e := (*Error)(nil)
	if errors.As(err, &e) {
		e.Fields = []FieldError{{Pointer: "/file", Detail: "The limit is reached here.", Line: line}}
	}
	return err
}

// indexOf is the keyed hash under which a row is found, so that no address stands in the database.
func indexOf(key []byte, connection ID, email string) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write(connection[:])
	mac.Write([]byte(email))
	return mac.Sum(nil)[:16]
}

func (h *Hub) indexKey(ctx context.Context, t TenantStore) ([]byte, error) {
	tenant, err := t.Tenant(ctx)
	if err != nil {
		return nil, err
	}
	return h.open(ctx, tenantRef(tenant.ID, "index_key"), tenant.IndexKey)
}

// rowFinder finds one connection's imported rows for its source.
type rowFinder struct {
	hub        *Hub
	tenant     ID
	connection Connection
	index      []byte
}

func (f *rowFinder) Columns(context.Context) ([]string, error) {
	if f.connection.Import == nil {
		return nil, nil
	}
	return slices.Clone(f.connection.Import.Report.Columns), nil
}

func (f *rowFinder) FindRows(ctx context.Context, email string, limit int) ([]map[string]string, error) {
	if f.connection.Import == nil {
		return nil, nil
	}
	rows, err := f.hub.Store.Tenant(f.tenant).FindRows(ctx, f.connection.ID, indexOf(f.index, f.connection.ID, email), limit)
	if err != nil {
		return nil, err
	}
	found := make([]map[string]string, len(rows))
	for i, r := range rows {
		if found[i], err = f.hub.openRow(ctx, f.tenant, f.connection, r); err != nil {
			return nil, err
		}
	}
	return found, nil
}

package store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"sidecard/internal/hub"
)

type auditRow struct {
	TenantID  hub.ID
	Number    int64
	At        time.Time
	ActorKind string
	ActorID   *hub.ID
	Actor     string
	Action    string
	SubjectID string
	Subject   string
	Address   string
	Before    *string // JSON, kept to the byte
	After     *string
	Hash      []byte
}

func (auditRow) TableName() string { return "audit" }

type auditHeadRow struct {
	TenantID hub.ID
	Number   int64
	Hash     []byte
}

func (auditHeadRow) TableName() string { return "audit_heads" }

func newAuditRow(tenant hub.ID, e *hub.AuditEntry) (auditRow, error) {
	r := auditRow{
		TenantID: tenant, At: e.At.UTC().Truncate(time.Microsecond), ActorKind: e.ActorKind, Actor: plainText(e.Actor),
		Action: e.Action, SubjectID: plainText(e.SubjectID), Subject: plainText(e.Subject), Address: plainText(e.Address),
	}
	if e.ActorID != (hub.ID{}) {
		r.ActorID = &e.ActorID
	}
	var err error
	if r.Before, err = auditJSON(e.Before); err == nil {
		r.After, err = auditJSON(e.After)
	}
	return r, err
}

// plainText is text that every database takes.
func plainText(s string) string { return strings.ReplaceAll(strings.ToValidUTF8(s, "?"), "\x00", "") }

func auditJSON(values map[string]any) (*string, error) {
	if len(values) == 0 {
		return nil, nil
	}
	text, err := json.Marshal(values) // with its keys in order
	if err != nil {
		return nil, fmt.Errorf("write audit entry: %w", err)
	}
	return new(string(text)), nil
}

func (r auditRow) entry() (hub.AuditEntry, error) {
	e := hub.AuditEntry{
		Number: r.Number, At: r.At.UTC(), ActorKind: r.ActorKind, Actor: r.Actor, Action: r.Action,
		SubjectID: r.SubjectID, Subject: r.Subject, Address: r.Address,
	}
	if r.ActorID != nil {
		e.ActorID = *r.ActorID
	}
	var err error
	if r.Before != nil {
		err = json.Unmarshal([]byte(*r.Before), &e.Before)
	}
	if r.After != nil {
		err = errors.Join(err, json.Unmarshal([]byte(*r.After), &e.After))
	}
	if err != nil {
		err = fmt.Errorf("read audit entry %d: %w", r.Number, err)
	}
	return e, err
}

// chained is the hash of a row that follows one with the hash before: SHA-256 over that hash and all columns in the
// order of the table. Each is preceded by its length as eight bytes, big-endian, so that nothing can move from one
// column to the next; a column that is null has the length 2^64-1. Never change it: what is stored depends on it.
func (r auditRow) chained(before []byte) []byte {
	h := sha256.New()
	write := func(value []byte) {
		h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(value))))
		h.Write(value)
	}
	null := func() { h.Write(bytes.Repeat([]byte{0xff}, 8)) }
	write(before)
	write(r.TenantID[:])
	write(binary.BigEndian.AppendUint64(nil, uint64(r.Number)))
	write(binary.BigEndian.AppendUint64(nil, uint64(r.At.UnixMicro())))
	write([]byte(r.ActorKind))
	if r.ActorID == nil {
		null()
	} else {
		write(r.ActorID[:])
	}
	for _, text := range []string{r.Actor, r.Action, r.SubjectID, r.Subject, r.Address} {
		write([]byte(text))
	}
	for _, text := range []*string{r.Before, r.After} {
		if text == nil {
			null()
		} else {
			write([]byte(*text))
		}
	}
	return h.Sum(nil)
}

// appendAudit writes an entry at the end of the tenant's log, as the last thing of a transaction: the lock on the
// head is then held shortly, and always taken after all others.
func (t tenant) appendAudit(tx *gorm.DB, e *hub.AuditEntry) error {
	row, err := newAuditRow(t.id, e)
	if err != nil {
		return err
	}
	var head auditHeadRow
	err = t.s.dialect.lock(tx).Take(&head).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		first := auditHeadRow{TenantID: t.id, Hash: []byte{}}
		if err := tx.Clauses(clause.OnConflict{DoNothing: true}).Create(&first).Error; err != nil {
			return err
		}
		err = t.s.dialect.lock(tx).Take(&head).Error
	}
	if err != nil {
		return err
	}
	row.Number = head.Number + 1
	row.Hash = row.chained(head.Hash)
	if err := tx.Create(&row).Error; err != nil {
		return err
	}
	e.Number = row.Number
	return tx.Model(&auditHeadRow{}).Where("true").Updates(map[string]any{"number": row.Number, "hash": row.Hash}).Error
}

// AddAudit implements hub.Audit.
func (t tenant) AddAudit(ctx context.Context, e *hub.AuditEntry) error {
	err := t.change(hub.WithAudit(ctx, nil), "add audit entry", func(tx *gorm.DB) error { return t.appendAudit(tx, e) })
	if err == nil {
		e.Written()
	}
	return err
}

// Audit implements hub.Audit.
func (t tenant) Audit(ctx context.Context, q hub.AuditQuery) ([]hub.AuditEntry, error) {
	return t.readAudit(ctx, func(tx *gorm.DB) *gorm.DB {
		if q.Before > 0 {
			tx = tx.Where("number < ?", q.Before)
		}
		if q.Action != "" {
			tx = tx.Where("action = ?", q.Action)
		}
		if q.ActorID != (hub.ID{}) {
			tx = tx.Where("actor_id = ?", q.ActorID)
		}
		if !q.From.IsZero() {
			tx = tx.Where("at >= ?", q.From.UTC())
		}
		if !q.To.IsZero() {
			tx = tx.Where("at < ?", q.To.UTC())
		}
		return tx.Order("number desc").Limit(q.Limit)
	})
}

// AuditAfter implements hub.Audit.
func (t tenant) AuditAfter(ctx context.Context, number int64, limit int) ([]hub.AuditEntry, error) {
	return t.readAudit(ctx, func(tx *gorm.DB) *gorm.DB {
		return tx.Where("number > ?", number).Order("number").Limit(limit)
	})
}

func (t tenant) readAudit(ctx context.Context, which func(*gorm.DB) *gorm.DB) ([]hub.AuditEntry, error) {
	var rows []auditRow
	err := t.view(ctx, "read audit log", func(tx *gorm.DB) error { return which(tx).Find(&rows).Error })
	entries := make([]hub.AuditEntry, len(rows))
	for i, r := range rows {
		var bad error
		entries[i], bad = r.entry()
		err = errors.Join(err, bad)
	}
	return entries, err
}

// verifyPage is how many entries are checked in one transaction.
const verifyPage = 1000

// VerifyAudit implements hub.Audit. Entries that are added meanwhile are not looked at.
func (t tenant) VerifyAudit(ctx context.Context) (hub.AuditVerdict, error) {
	var head auditHeadRow
	var newest int64
	err := t.view(ctx, "read audit head", func(tx *gorm.DB) error {
		if err := tx.Limit(1).Find(&head).Error; err != nil {
			return err
		}
		return tx.Model(&auditRow{}).Select("coalesce(max(number), 0)").Scan(&newest).Error
	})
	v := hub.AuditVerdict{Entries: head.Number}
	if err != nil {
		return v, err
	}
	number, hash := int64(0), []byte{}
	for number < head.Number {
		var rows []auditRow
		err := t.view(ctx, "read audit log", func(tx *gorm.DB) error {
			return tx.Where("number > ? and number <= ?", number, head.Number).Order("number").Limit(verifyPage).Find(&rows).Error
		})
		if err != nil {
			return v, err
		}
		for _, r := range rows {
			if r.Number != number+1 || !bytes.Equal(r.Hash, r.chained(hash)) {
				v.BrokenAt = number + 1
				return v, nil
			}
			number, hash = r.Number, r.Hash
		}
		if len(rows) == 0 {
			v.BrokenAt = number + 1
			return v, nil
		}
	}
	switch {
	case !bytes.Equal(hash, head.Hash):
		v.BrokenAt = max(head.Number, 1)
	case newest > head.Number:
		v.BrokenAt = head.Number + 1
	}
	return v, nil
}

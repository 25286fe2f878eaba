package store

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"time"

	"gorm.io/gorm"

	"sidecard/internal/hub"
)

type deskRow struct {
	ID                   hub.ID
	TenantID             hub.ID
	TokenHash            []byte
	TokenSealed          []byte
	SecretSealed         []byte
	PreviousSecretSealed []byte
	PreviousSecretUntil  *time.Time
	Email                string
	APIKeySealed         []byte
	APIKeyHint           string
	Unsigned             string
	HandshakeAt          *time.Time
	FirstSignedAt        *time.Time
	PausedAt             *time.Time
	ThrottledUntil       *time.Time
	ProblemAt            *time.Time
	ProblemCode          string
}

func (deskRow) TableName() string { return "desks" }

func newDeskRow(d hub.Desk) deskRow {
	r := deskRow{
		ID: d.ID, TenantID: d.TenantID, TokenHash: d.TokenHash[:], TokenSealed: d.TokenSealed,
		SecretSealed: d.SecretSealed, PreviousSecretSealed: d.PreviousSecretSealed, PreviousSecretUntil: timeOrNull(d.PreviousSecretUntil),
		Email: d.Email, APIKeySealed: d.APIKeySealed, APIKeyHint: d.APIKeyHint, Unsigned: string(d.Unsigned),
		HandshakeAt: timeOrNull(d.HandshakeAt), FirstSignedAt: timeOrNull(d.FirstSignedAt), PausedAt: timeOrNull(d.PausedAt),
		ThrottledUntil: timeOrNull(d.ThrottledUntil),
	}
	if d.Problem != nil {
		r.ProblemAt, r.ProblemCode = timeOrNull(d.Problem.At), d.Problem.Code
	}
	return r
}

func (r deskRow) desk() hub.Desk {
	d := hub.Desk{
		ID: r.ID, TenantID: r.TenantID, TokenHash: [32]byte(r.TokenHash), TokenSealed: r.TokenSealed,
		SecretSealed: r.SecretSealed, PreviousSecretSealed: r.PreviousSecretSealed, PreviousSecretUntil: timeOrZero(r.PreviousSecretUntil),
		Email: r.Email, APIKeySealed: r.APIKeySealed, APIKeyHint: r.APIKeyHint, Unsigned: hub.UnsignedPolicy(r.Unsigned),
		HandshakeAt: timeOrZero(r.HandshakeAt), FirstSignedAt: timeOrZero(r.FirstSignedAt), PausedAt: timeOrZero(r.PausedAt),
		ThrottledUntil: timeOrZero(r.ThrottledUntil),
	}
	if r.ProblemCode != "" {
		d.Problem = &hub.DeskProblem{At: timeOrZero(r.ProblemAt), Code: r.ProblemCode}
	}
	return d
}

// DeskByToken implements hub.Desks.
func (s *Store) DeskByToken(ctx context.Context, tokenHash [32]byte) (hub.Desk, error) {
	var row deskRow
	err := s.reader.WithContext(ctx).Raw(s.dialect.deskByToken(), tokenHash[:]).Take(&row).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		err = s.whyNoDesk(ctx, tokenHash)
	}
	if err != nil {
		return hub.Desk{}, fmt.Errorf("find desk: %w", translate(err))
	}
	return row.desk(), nil
}

// Desk implements hub.TenantStore.
func (t tenant) Desk(ctx context.Context) (hub.Desk, error) {
	var row deskRow
	err := t.view(ctx, "read desk", func(tx *gorm.DB) error { return tx.Take(&row).Error })
	if err != nil {
		return hub.Desk{}, err
	}
	return row.desk(), nil
}

// UpdateDesk implements hub.TenantStore. The desk's ids stay; a change that changes nothing writes nothing.
func (t tenant) UpdateDesk(ctx context.Context, change func(*hub.Desk) error) (hub.Desk, error) {
	var desk hub.Desk
	err := t.change(ctx, "update desk", func(tx *gorm.DB) error {
		var before deskRow
		if err := t.s.dialect.lock(tx).Take(&before).Error; err != nil {
			return err
		}
		desk = before.desk()
		if err := change(&desk); err != nil {
			return err
		}
		desk.ID, desk.TenantID = before.ID, before.TenantID
		after := newDeskRow(desk)
		if reflect.DeepEqual(after, newDeskRow(before.desk())) {
			return nil
		}
		if err := tx.Model(&deskRow{}).Select("*").Omit("id", "tenant_id").Updates(&after).Error; err != nil {
			return err
		}
		return t.touch(tx)
	})
	if err != nil {
		return hub.Desk{}, err
	}
	return desk, nil
}

type rejectionRow struct {
	ID         hub.ID
	TenantID   hub.ID
	At         time.Time
	Code       string
	Reason     string
	Bytes      int64
	BodySHA256 []byte `gorm:"column:body_sha256"`
	Headers    document[map[string]string]
}

func (rejectionRow) TableName() string { return "rejections" }

// AddRejection implements hub.TenantStore.
func (t tenant) AddRejection(ctx context.Context, r hub.Rejection, keep int) error {
	if r.Headers == nil {
		r.Headers = map[string]string{}
	}
	return t.change(ctx, "keep rejection", func(tx *gorm.DB) error {
		row := rejectionRow{
			ID: r.ID, TenantID: t.id, At: r.At.UTC(), Code: string(r.Code), Reason: r.Reason,
			Bytes: r.Bytes, BodySHA256: r.BodySHA256, Headers: document[map[string]string]{r.Headers},
		}
		if err := tx.Create(&row).Error; err != nil {
			return err
		}
		newest := tx.Model(&rejectionRow{}).Select("id").Order("id desc").Limit(keep)
		return tx.Where("id not in (?)", newest).Delete(&rejectionRow{}).Error
	})
}

// Rejections implements hub.TenantStore.
func (t tenant) Rejections(ctx context.Context) ([]hub.Rejection, error) {
	var rows []rejectionRow
	err := t.view(ctx, "list rejections", func(tx *gorm.DB) error { return tx.Order("id desc").Find(&rows).Error })
	list := make([]hub.Rejection, len(rows))
	for i, r := range rows {
		list[i] = hub.Rejection{
			ID: r.ID, At: r.At.UTC(), Code: hub.Code(r.Code), Reason: r.Reason,
			Bytes: r.Bytes, BodySHA256: r.BodySHA256, Headers: r.Headers.V,
		}
	}
	return list, err
}

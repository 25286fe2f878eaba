package store

import (
	"context"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"sidecard/internal/hub"
)

type loginRow struct {
	ConnectionID hub.ID `gorm:"primaryKey"`
	TenantID     hub.ID
	Tokens       []byte
	Generation   int64
	Account      string
	Scopes       document[[]string]
	ConnectedAt  *time.Time
	RevokedAt    *time.Time
	BusyUntil    *time.Time
	StateHash    []byte
	StateUntil   *time.Time
	StateUser    *hub.ID
	Verifier     []byte
}

func (loginRow) TableName() string { return "logins" }

func (r loginRow) login() hub.Login {
	return hub.Login{
		Connection: r.ConnectionID, Tokens: r.Tokens, Generation: r.Generation, Account: r.Account, Scopes: r.Scopes.V,
		ConnectedAt: timeOrZero(r.ConnectedAt), RevokedAt: timeOrZero(r.RevokedAt),
	}
}

// Logins implements hub.TenantStore.
func (t tenant) Logins(ctx context.Context) ([]hub.Login, error) {
	var rows []loginRow
	err := t.view(ctx, "list logins", func(tx *gorm.DB) error {
		return tx.Where("tokens is not null").Order("connection_id").Find(&rows).Error
	})
	logins := make([]hub.Login, len(rows))
	for i, r := range rows {
		logins[i] = r.login()
	}
	return logins, err
}

// Login implements hub.TenantStore.
func (t tenant) Login(ctx context.Context, connection hub.ID) (hub.Login, error) {
	var row loginRow
	err := t.view(ctx, "read login", func(tx *gorm.DB) error {
		return tx.Where("connection_id = ? and tokens is not null", connection).Take(&row).Error
	})
	return row.login(), err
}

// BeginLogin implements hub.TenantStore.
func (t tenant) BeginLogin(ctx context.Context, a hub.LoginAttempt) error {
	return t.change(ctx, "begin login", func(tx *gorm.DB) error {
		if _, err := t.lockConnection(tx, a.Connection); err != nil {
			return err
		}
		row := loginRow{
			ConnectionID: a.Connection, TenantID: t.id, Scopes: document[[]string]{[]string{}},
			StateHash: a.State[:], StateUntil: timeOrNull(a.Until), StateUser: &a.User, Verifier: a.Verifier,
		}
		return tx.Clauses(clause.OnConflict{
			Columns:   []clause.Column{{Name: "connection_id"}},
			DoUpdates: clause.AssignmentColumns([]string{"state_hash", "state_until", "state_user", "verifier"}),
		}).Create(&row).Error
	})
}

// TakeLoginAttempt implements hub.TenantStore.
func (t tenant) TakeLoginAttempt(ctx context.Context, state [32]byte, user hub.ID, now time.Time) (hub.LoginAttempt, error) {
	var row loginRow
	err := t.change(ctx, "take login attempt", func(tx *gorm.DB) error {
		if err := t.s.dialect.lock(tx).
			Where("state_hash = ? and state_user = ? and state_until > ?", state[:], user, now.UTC()).Take(&row).Error; err != nil {
			return err
		}
		return t.updateLogin(tx, row.ConnectionID, map[string]any{"state_hash": nil, "state_until": nil, "state_user": nil, "verifier": nil})
	})
	if err != nil {
		return hub.LoginAttempt{}, err
	}
	return hub.LoginAttempt{
		Connection: row.ConnectionID, State: state, User: user, Verifier: row.Verifier, Until: timeOrZero(row.StateUntil),
	}, nil
}

// ReplaceLogin implements hub.TenantStore.
func (t tenant) ReplaceLogin(ctx context.Context, l hub.Login) error {
	return t.change(ctx, "replace login", func(tx *gorm.DB) error {
		row, err := t.lockConnection(tx, l.Connection)
		if err != nil {
			return err
		}
		change := map[string]any{
			"tokens": l.Tokens, "generation": gorm.Expr("generation + 1"), "account": l.Account,
			"scopes": document[[]string]{l.Scopes}, "connected_at": l.ConnectedAt.UTC(), "revoked_at": nil, "busy_until": nil,
		}
		if err := t.updateLogin(tx, l.Connection, change); err != nil {
			return err
		}
		return t.reopen(tx, row)
	})
}

// DeleteLogin implements hub.TenantStore.
func (t tenant) DeleteLogin(ctx context.Context, connection hub.ID) error {
	return t.change(ctx, "delete login", func(tx *gorm.DB) error {
		row, err := t.lockConnection(tx, connection)
		if err != nil {
			return err
		}
		// The row stays, so that a renewal under way can never be taken for one of a later login.
		if err := t.updateLogin(tx, connection, map[string]any{
			"tokens": nil, "generation": gorm.Expr("generation + 1"), "account": "", "scopes": document[[]string]{[]string{}},
			"connected_at": nil, "revoked_at": nil, "busy_until": nil,
		}); err != nil {
			return err
		}
		return t.reopen(tx, row)
	})
}

// reopen makes all workers open a connection's source anew.
func (t tenant) reopen(tx *gorm.DB, row connectionRow) error {
	if err := tx.Model(&connectionRow{}).Where("id = ?", row.ID).Update("revision", row.Revision+1).Error; err != nil {
		return err
	}
	return t.touch(tx)
}

// LeaseLogin implements hub.TenantStore.
func (t tenant) LeaseLogin(ctx context.Context, connection hub.ID, generation int64, lease time.Duration) (bool, error) {
	leased := false
	err := t.change(ctx, "lease login", func(tx *gorm.DB) error {
		var row loginRow
		if err := t.s.dialect.lock(tx).Where("connection_id = ?", connection).Take(&row).Error; err != nil {
			return err
		}
		now, err := t.s.dialect.now(tx)
		if err != nil {
			return err
		}
		if row.Generation != generation || row.RevokedAt != nil || row.BusyUntil != nil && now.Before(*row.BusyUntil) {
			return nil
		}
		leased = true
		return t.updateLogin(tx, connection, map[string]any{"busy_until": now.Add(lease).UTC()})
	})
	return leased, err
}

// RenewLogin implements hub.TenantStore.
func (t tenant) RenewLogin(ctx context.Context, connection hub.ID, generation int64, tokens []byte) error {
	change := map[string]any{"busy_until": nil}
	if tokens != nil {
		change["tokens"], change["generation"] = tokens, generation+1
	}
	return t.ofGeneration(ctx, connection, generation, change)
}

// RevokeLogin implements hub.TenantStore.
func (t tenant) RevokeLogin(ctx context.Context, connection hub.ID, generation int64, at time.Time) error {
	return t.ofGeneration(ctx, connection, generation, map[string]any{"busy_until": nil, "revoked_at": at.UTC()})
}

// ofGeneration changes a login unless it was renewed or replaced since; then it is left as it is.
func (t tenant) ofGeneration(ctx context.Context, connection hub.ID, generation int64, change map[string]any) error {
	return t.change(ctx, "change login", func(tx *gorm.DB) error {
		return tx.Model(&loginRow{}).Where("connection_id = ? and generation = ?", connection, generation).Updates(change).Error
	})
}

func (t tenant) updateLogin(tx *gorm.DB, connection hub.ID, change map[string]any) error {
	done := tx.Model(&loginRow{}).Where("connection_id = ?", connection).Updates(change)
	if done.Error == nil && done.RowsAffected == 0 {
		return gorm.ErrRecordNotFound
	}
	return done.Error
}

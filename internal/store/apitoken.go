package store

import (
	"context"
	"time"

	"gorm.io/gorm"

	"sidecard/internal/hub"
)

type apiTokenRow struct {
	ID         hub.ID
	TenantID   hub.ID
	Name       string
	Scopes     document[[]hub.Scope]
	Role       string
	CreatedBy  string
	CreatedAt  time.Time
	ExpiresAt  time.Time
	LastUsedAt *time.Time
	RevokedAt  *time.Time
}

func (apiTokenRow) TableName() string { return "api_tokens" }

func (r apiTokenRow) token() hub.APIToken {
	return hub.APIToken{
		ID: r.ID, Name: r.Name, Scopes: r.Scopes.V, Role: hub.Role(r.Role), CreatedBy: r.CreatedBy,
		CreatedAt: r.CreatedAt.UTC(), ExpiresAt: r.ExpiresAt.UTC(), LastUsedAt: timeOrZero(r.LastUsedAt),
	}
}

const (
	endedTokensFor = 30 * 24 * time.Hour // a token that has ended is listed for so long
	tokenUseEvery  = time.Minute         // its use is noted at most so often
)

// APITokens implements hub.APITokens.
func (t tenant) APITokens(ctx context.Context, now time.Time) (list []hub.APIToken, err error) {
	var rows []apiTokenRow
	err = t.view(ctx, "list API tokens", func(tx *gorm.DB) error {
		return tx.Where("revoked_at is null and expires_at > ?", now.UTC().Add(-endedTokensFor)).Order("id desc").Find(&rows).Error
	})
	for _, r := range rows {
		list = append(list, r.token())
	}
	return list, err
}

// AddAPIToken implements hub.APITokens.
func (t tenant) AddAPIToken(ctx context.Context, in hub.APIToken) error {
	return t.change(ctx, "add API token", func(tx *gorm.DB) error {
		row := apiTokenRow{
			ID: in.ID, TenantID: t.id, Name: in.Name, Scopes: document[[]hub.Scope]{in.Scopes}, Role: string(in.Role),
			CreatedBy: in.CreatedBy, CreatedAt: in.CreatedAt.UTC(), ExpiresAt: in.ExpiresAt.UTC(),
		}
		return tx.Create(&row).Error
	})
}

// RevokeAPIToken implements hub.APITokens.
func (t tenant) RevokeAPIToken(ctx context.Context, id hub.ID, now time.Time) error {
	return t.change(ctx, "revoke API token", func(tx *gorm.DB) error {
		revoke := tx.Model(&apiTokenRow{}).Where("id = ? and revoked_at is null", id).Update("revoked_at", now.UTC())
		if revoke.Error == nil && revoke.RowsAffected == 0 {
			return gorm.ErrRecordNotFound
		}
		return revoke.Error
	})
}

// TokenStanding implements hub.Standings.
func (t tenant) TokenStanding(ctx context.Context, token hub.ID, now time.Time) (hub.Standing, error) {
	now = now.UTC()
	var row apiTokenRow
	err := t.view(ctx, "read standing", func(tx *gorm.DB) error {
		return tx.Where("id = ? and revoked_at is null and expires_at > ?", token, now).Take(&row).Error
	})
	if err == nil && (row.LastUsedAt == nil || now.Sub(*row.LastUsedAt) > tokenUseEvery) {
		err = t.change(ctx, "note use of API token", func(tx *gorm.DB) error {
			return tx.Model(&apiTokenRow{}).Where("id = ?", token).Update("last_used_at", now).Error
		})
	}
	return hub.Standing{Name: row.Name, Role: hub.Role(row.Role), Scopes: row.Scopes.V}, err
}

package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"gorm.io/gorm"

	"sidecard/internal/hub"
)

type invitationRow struct {
	ID        hub.ID
	TenantID  hub.ID
	Hash      []byte
	Email     string
	Role      string
	InvitedBy string
	CreatedAt time.Time
	Until     time.Time
}

func (invitationRow) TableName() string { return "invitations" }

func (r invitationRow) invitation() hub.Invitation {
	return hub.Invitation{
		ID: r.ID, TenantID: r.TenantID, Email: r.Email, Role: hub.Role(r.Role), InvitedBy: r.InvitedBy,
		CreatedAt: r.CreatedAt.UTC(), Until: r.Until.UTC(),
	}
}

// Invitations implements hub.Invitations.
func (t tenant) Invitations(ctx context.Context, now time.Time) ([]hub.Invitation, error) {
	var rows []invitationRow
	err := t.view(ctx, "list invitations", func(tx *gorm.DB) error {
		return tx.Where("until > ?", now.UTC()).Order("id desc").Find(&rows).Error
	})
	list := make([]hub.Invitation, len(rows))
	for i, r := range rows {
		list[i] = r.invitation()
	}
	return list, err
}

// Invite implements hub.Invitations.
func (t tenant) Invite(ctx context.Context, in hub.Invitation, hash [32]byte, mail hub.SealedMail) error {
	return t.change(ctx, "invite", func(tx *gorm.DB) error {
		company, err := t.lockRow(tx)
		if err != nil {
			return err
		}
		var there int64
		err = tx.Model(&memberRow{}).Joins("join users u on u.id = members.user_id").Where("u.email = ?", in.Email).Count(&there).Error
		if err != nil {
			return err
		}
		if there > 0 {
			return &hub.Error{Code: hub.CodeConflict, Message: "Somebody with this e-mail address belongs to the tenant already."}
		}
		if err := tx.Where("email = ? or until <= ?", in.Email, in.CreatedAt.UTC()).Delete(&invitationRow{}).Error; err != nil {
			return err
		}
		row := invitationRow{
			ID: in.ID, TenantID: t.id, Hash: hash[:], Email: in.Email, Role: string(in.Role), InvitedBy: in.InvitedBy,
			CreatedAt: in.CreatedAt.UTC(), Until: in.Until.UTC(),
		}
		err = tx.Create(&row).Error
		if errors.Is(err, gorm.ErrDuplicatedKey) { // two at the same moment
			return &hub.Error{Code: hub.CodeConflict, Message: "Somebody else invited this address just now."}
		}
		if err != nil {
			return err
		}
		if err := t.allowMembers(tx, company, true, in.CreatedAt); err != nil {
			return err
		}
		return t.s.insertMail(tx, mail)
	})
}

// WithdrawInvitation implements hub.Invitations.
func (t tenant) WithdrawInvitation(ctx context.Context, id hub.ID, check func(hub.Invitation) error) error {
	return t.change(ctx, "withdraw invitation", func(tx *gorm.DB) error {
		var row invitationRow
		if err := t.s.dialect.lock(tx).Where("id = ?", id).Take(&row).Error; err != nil {
			return err
		}
		if err := check(row.invitation()); err != nil {
			return err
		}
		return tx.Where("id = ?", id).Delete(&invitationRow{}).Error
	})
}

// InvitationByHash implements hub.Invited.
func (s *Store) InvitationByHash(ctx context.Context, hash [32]byte, now time.Time) (hub.Invitation, error) {
	var owner struct{ TenantID *hub.ID }
	if err := s.reader.WithContext(ctx).Raw(s.dialect.tenantOfInvitation(), hash[:]).Scan(&owner).Error; err != nil {
		return hub.Invitation{}, fmt.Errorf("find invitation: %w", translate(err))
	}
	if owner.TenantID == nil {
		return hub.Invitation{}, fmt.Errorf("find invitation: %w", hub.ErrNotFound)
	}
	t := tenant{s, *owner.TenantID}
	var row invitationRow
	err := t.view(ctx, "find invitation", func(tx *gorm.DB) error {
		return tx.Where("hash = ? and until > ?", hash[:], now.UTC()).Take(&row).Error
	})
	return row.invitation(), err
}

// AcceptInvitation implements hub.Invitations.
func (t tenant) AcceptInvitation(ctx context.Context, id hub.ID, u hub.User, isNew bool, now time.Time) error {
	return t.change(ctx, "accept invitation", func(tx *gorm.DB) error {
		company, err := t.lockRow(tx)
		if err != nil {
			return err
		}
		var row invitationRow
		if err := t.s.dialect.lock(tx).Where("id = ? and until > ?", id, now.UTC()).Take(&row).Error; err != nil {
			return err
		}
		if err := tx.Where("id = ?", id).Delete(&invitationRow{}).Error; err != nil {
			return err
		}
		if isNew {
			user := userRow{ID: u.ID, Email: u.Email, Name: u.Name, PasswordHash: u.PasswordHash, CreatedAt: u.CreatedAt.UTC()}
			err := tx.Create(&user).Error
			if errors.Is(err, gorm.ErrDuplicatedKey) {
				return hub.ErrEmailTaken
			}
			if err != nil {
				return err
			}
		}
		member := memberRow{TenantID: t.id, UserID: u.ID, Role: row.Role, CreatedAt: now.UTC()}
		err = tx.Create(&member).Error
		if errors.Is(err, gorm.ErrDuplicatedKey) {
			return &hub.Error{Code: hub.CodeConflict, Message: "You belong to this tenant already. Sign in."}
		}
		if err != nil {
			return err
		}
		return t.allowMembers(tx, company, false, now)
	})
}

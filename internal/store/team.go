package store

import (
	"context"
	"errors"
	"time"

	"gorm.io/gorm"

	"sidecard/internal/hub"
)

// Members implements hub.Team.
func (t tenant) Members(ctx context.Context) ([]hub.Member, error) {
	var list []hub.Member
	err := t.view(ctx, "list members", func(tx *gorm.DB) (err error) {
		list, err = t.members(tx)
		return err
	})
	return list, err
}

func (t tenant) members(tx *gorm.DB) ([]hub.Member, error) {
	var rows []struct {
		UserID      hub.ID
		Name        string
		Email       string
		Role        string
		ConfirmedAt *time.Time
		CreatedAt   time.Time
	}
	err := tx.Raw(`select m.user_id, u.name, u.email, m.role, f.confirmed_at, m.created_at
		from members m join users u on u.id = m.user_id left join second_factors f on f.user_id = m.user_id
		where m.tenant_id = ? order by m.created_at, m.user_id`, t.id).Scan(&rows).Error
	list := make([]hub.Member, len(rows))
	for i, r := range rows {
		list[i] = hub.Member{
			UserID: r.UserID, Name: r.Name, Email: r.Email, Role: hub.Role(r.Role),
			HasFactor: r.ConfirmedAt != nil, Since: r.CreatedAt.UTC(),
		}
	}
	return list, err
}

// ChangeMember implements hub.Team.
func (t tenant) ChangeMember(ctx context.Context, user hub.ID, change func(members []hub.Member, m *hub.Member) error) (hub.Member, error) {
	var changed hub.Member
	err := t.change(ctx, "change member", func(tx *gorm.DB) error {
		// All of them, in one order: whoever changes another member waits, and judges what is left then.
		var locked []memberRow
		if err := t.s.dialect.lock(tx).Order("user_id").Find(&locked).Error; err != nil {
			return err
		}
		members, err := t.members(tx)
		if err != nil {
			return err
		}
		i := indexOfMember(members, user)
		if i < 0 {
			return gorm.ErrRecordNotFound
		}
		changed = members[i]
		if err := change(members, &changed); err != nil {
			return err
		}
		if changed.Role == "" {
			if err := tx.Where("user_id = ?", user).Delete(&memberRow{}).Error; err != nil {
				return err
			}
			return t.forgetStranger(tx, user)
		}
		return tx.Model(&memberRow{}).Where("user_id = ?", user).Update("role", string(changed.Role)).Error
	})
	return changed, err
}

func indexOfMember(members []hub.Member, user hub.ID) int {
	for i, m := range members {
		if m.UserID == user {
			return i
		}
	}
	return -1
}

// forgetStranger removes a user who belongs to no tenant any more. If another tenant takes them in at this moment,
// they stay.
func (t tenant) forgetStranger(tx *gorm.DB, user hub.ID) error {
	if err := t.s.dialect.set(tx, userSetting, user); err != nil { // to see the user's other memberships
		return err
	}
	err := tx.Session(&gorm.Session{NewDB: true}).Transaction(func(tx *gorm.DB) error { return forgetUser(tx, user) })
	if errors.Is(err, gorm.ErrForeignKeyViolated) {
		return nil
	}
	return err
}

// forgetUser removes a user without any membership, with sessions, second factor and links.
func forgetUser(tx *gorm.DB, user hub.ID) error {
	if err := tx.Exec("update logins set state_user = null where state_user = ?", user).Error; err != nil {
		return err
	}
	return tx.Exec("delete from users where id = ? and not exists (select 1 from members where user_id = ?)", user, user).Error
}

// UpdateTenant implements hub.Team.
func (t tenant) UpdateTenant(ctx context.Context, change func(*hub.Tenant) error, mails ...hub.SealedMail) (hub.Tenant, error) {
	var changed hub.Tenant
	err := t.change(ctx, "update tenant", func(tx *gorm.DB) error {
		// The update locks the row; one without a desk is being deleted already.
		live := tx.Exec("update tenants set revision = revision where id = ? and exists (select 1 from desks where tenant_id = ?)", t.id, t.id)
		if live.Error != nil {
			return live.Error
		}
		if live.RowsAffected == 0 {
			return gorm.ErrRecordNotFound
		}
		row, err := t.row(tx)
		if err != nil {
			return err
		}
		changed = row.tenant()
		if err := change(&changed); err != nil {
			return err
		}
		err = tx.Exec("update tenants set name = ?, second_factor_required = ?, delete_at = ?, retention_days = ? where id = ?",
			changed.Name, changed.FactorRequired, timeOrNull(changed.DeleteAt), changed.RetentionDays, t.id).Error
		if err != nil {
			return err
		}
		for _, m := range mails {
			if err := t.s.insertMail(tx, m); err != nil {
				return err
			}
		}
		return nil
	})
	return changed, err
}

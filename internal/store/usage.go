package store

import (
	"context"
	"time"

	"gorm.io/gorm"

	"sidecard/internal/hub"
)

// SetPlan implements hub.Usages. Workers read the setup again, since the revision grows.
func (t tenant) SetPlan(ctx context.Context, change func(*hub.Tenant) error) (hub.Tenant, error) {
	var changed hub.Tenant
	err := t.change(ctx, "set plan", func(tx *gorm.DB) error {
		row, err := t.lockRow(tx)
		if err != nil {
			return err
		}
		changed = row.tenant()
		if err := change(&changed); err != nil {
			return err
		}
		return tx.Exec("update tenants set plan = ?, revision = revision + 1 where id = ?", changed.Plan, t.id).Error
	})
	return changed, err
}

// lockRow reads the tenant's row and keeps it from being changed until the transaction ends. It does not keep
// others from adding rows that refer to it.
func (t tenant) lockRow(tx *gorm.DB) (tenantRow, error) {
	if err := tx.Exec("update tenants set revision = revision where id = ?", t.id).Error; err != nil {
		return tenantRow{}, err
	}
	return t.row(tx)
}

// ChatAfter implements hub.Usages.
func (t tenant) ChatAfter(ctx context.Context, from, to time.Time, skip int) (id hub.ID, err error) {
	var rows []struct{ ID hub.ID }
	err = t.view(ctx, "find the last chat of the plan", func(tx *gorm.DB) error {
		return chatsDrawn(tx, from, to).Order("id").Offset(skip).Limit(1).Select("id").Find(&rows).Error
	})
	if len(rows) > 0 {
		id = rows[0].ID
	}
	return id, err
}

// CountChats implements hub.Usages.
func (t tenant) CountChats(ctx context.Context, from, to time.Time) (hub.ChatCount, error) {
	var chats, over int64
	err := t.view(ctx, "count chats", func(tx *gorm.DB) error {
		if err := chatsDrawn(tx, from, to).Count(&chats).Error; err != nil {
			return err
		}
		return tx.Table("outcomes").Where("chat_id >= ? and chat_id < ? and outcome = ?", hub.FirstID(from), hub.FirstID(to), hub.OverQuota).Count(&over).Error
	})
	return hub.ChatCount{Chats: int(chats), OverQuota: int(over)}, err
}

// chatsDrawn selects the tenant's chats whose ids were drawn at from or later and before to: a range of the key.
// It looks at nothing else, so that neither erasing a visitor nor keeping less of old chats changes how many there were.
func chatsDrawn(tx *gorm.DB, from, to time.Time) *gorm.DB {
	return tx.Model(&chatRow{}).Where("id >= ? and id < ?", hub.FirstID(from), hub.FirstID(to))
}

// allowMembers refuses more members than the plan has, in the transaction that added one.
func (t tenant) allowMembers(tx *gorm.DB, company tenantRow, withInvitations bool, now time.Time) error {
	var members, open int64
	if err := tx.Model(&memberRow{}).Count(&members).Error; err != nil {
		return err
	}
	if withInvitations {
		if err := tx.Model(&invitationRow{}).Where("until > ?", now.UTC()).Count(&open).Error; err != nil {
			return err
		}
	}
	return company.tenant().Limits().AllowMembers(int(members + open))
}

// allowConnections refuses more connections than the plan has, in the transaction that added one and keeps the
// tenant's row.
func (t tenant) allowConnections(tx *gorm.DB) error {
	company, err := t.row(tx)
	if err != nil {
		return err
	}
	var n int64
	if err := tx.Model(&connectionRow{}).Count(&n).Error; err != nil {
		return err
	}
	return company.tenant().Limits().AllowConnections(int(n))
}

// allowRows refuses more rows from files than the plan has, in the transaction that makes loaded ones count and
// keeps the tenant's row.
func (t tenant) allowRows(tx *gorm.DB) error {
	company, err := t.row(tx)
	if err != nil {
		return err
	}
	limits := company.tenant().Limits()
	if limits.CSVRows == 0 {
		return nil
	}
	all, err := listConnections(tx)
	if err != nil {
		return err
	}
	return limits.AllowCSVRows(hub.RowsIn(all))
}

package store

import (
	"context"
	"slices"
	"time"

	"gorm.io/gorm"

	"sidecard/internal/hub"
)

// forgetBatch is how many chats are forgotten in one transaction.
const forgetBatch = 1_000

// forget forgets the ended chats that their tenants do not keep any longer. Any process may do it at any time.
func (s *Store) forget(ctx context.Context) {
	var due []hub.ID
	if err := s.dialect.tenantsToForget(s.writer.WithContext(ctx)).Scan(&due).Error; err != nil {
		if ctx.Err() == nil { // else the store is being closed
			s.log.WarnContext(ctx, "old chats are not looked for", "error", translate(err))
		}
		return
	}
	for _, id := range due {
		for more := true; more; {
			var err error
			if more, err = (tenant{s, id}).forgetOld(ctx, time.Now()); err != nil {
				if ctx.Err() == nil {
					s.log.WarnContext(ctx, "old chats are not forgotten yet", "tenant", id, "error", err)
				}
				break
			}
		}
	}
}

// forgetOld forgets the next chats, the oldest first, up to one that has not ended. It returns whether there may be
// more.
func (t tenant) forgetOld(ctx context.Context, now time.Time) (more bool, err error) {
	err = t.change(ctx, "forget old chats", func(tx *gorm.DB) error {
		row, err := t.lockRow(tx)
		if err != nil {
			return err
		}
		var old []struct {
			ID      hub.ID
			Outcome *hub.Outcome
		}
		err = tx.Model(&chatRow{}).Select("chats.id, o.outcome").
			Joins("left join outcomes o on o.tenant_id = chats.tenant_id and o.chat_id = chats.id").
			Where("chats.id > ? and chats.id < ?", row.Forgotten, hub.FirstID(now.AddDate(0, 0, -row.RetentionDays))).
			Order("chats.id").Limit(forgetBatch).Find(&old).Error
		if err != nil {
			return err
		}
		var ids []hub.ID
		for _, chat := range old {
			if chat.Outcome == nil {
				break
			}
			ids = append(ids, chat.ID)
		}
		if len(ids) == 0 {
			return nil
		}
		more = len(ids) == forgetBatch
		if err := t.s.dialect.forgetChats(tx, t.id, ids); err != nil {
			return err
		}
		return tx.Exec("update tenants set forgotten = ? where id = ?", ids[len(ids)-1], t.id).Error
	})
	return more, err
}

// KeptChats implements hub.Privacy.
func (t tenant) KeptChats(ctx context.Context, q hub.KeptQuery) ([]hub.KeptChat, error) {
	var rows []chatRow
	err := t.view(ctx, "list kept chats", func(tx *gorm.DB) error {
		row, err := t.row(tx)
		if err != nil {
			return err
		}
		from := q.After
		if row.Forgotten.String() > from.String() {
			from = row.Forgotten
		}
		list := tx.Select("chats.id, chats.visitor_id, chats.body").Where("chats.id > ? and length(chats.body) > 0", from)
		if q.VisitorID != "" {
			list = list.Where("chats.visitor_id = ?", q.VisitorID)
		}
		return list.Order("chats.id").Limit(q.Limit).Find(&rows).Error
	})
	kept := make([]hub.KeptChat, len(rows))
	for i, r := range rows {
		kept[i] = hub.KeptChat{ID: r.ID, VisitorID: r.VisitorID, Body: r.Body}
	}
	return kept, err
}

// EraseChats implements hub.Privacy.
func (t tenant) EraseChats(ctx context.Context, visitors []string) (erased hub.ErasedChats, err error) {
	err = t.change(ctx, "end chats of erased visitors", func(tx *gorm.DB) error {
		erased.Unfinished, err = t.s.dialect.endErased(tx, t.id, visitors)
		return err
	})
	for err == nil {
		var some []hub.ID
		err = t.change(ctx, "forget chats of erased visitors", func(tx *gorm.DB) error {
			row, err := t.row(tx)
			if err != nil {
				return err
			}
			// Who has no outcome yet came after the others were ended, and is found by the next look.
			err = t.s.dialect.amongTexts(tx.Model(&chatRow{}), "chats.visitor_id", visitors).
				Where("chats.id > ? and exists (select 1 from outcomes o where o.tenant_id = chats.tenant_id and o.chat_id = chats.id)", row.Forgotten).
				Order("chats.id").Limit(forgetBatch).Pluck("chats.id", &some).Error
			if err != nil || len(some) == 0 {
				return err
			}
			return t.s.dialect.forgetChats(tx, t.id, some)
		})
		if err == nil {
			erased.Chats += len(some)
		}
		if len(some) < forgetBatch {
			break
		}
	}
	return erased, err
}

// EraseRows implements hub.Privacy. A file that is being loaded just now is not looked through.
func (t tenant) EraseRows(ctx context.Context, connection hub.ID, index []byte, change func(c *hub.Connection, removed int)) (removed int, err error) {
	err = t.change(ctx, "erase imported rows", func(tx *gorm.DB) error {
		row, err := t.lockConnection(tx, connection)
		if err != nil || row.ImportID == nil {
			return err
		}
		done := tx.Where("import_id = ? and idx = ?", *row.ImportID, index).Delete(&importedRow{})
		if done.Error != nil || done.RowsAffected == 0 {
			return done.Error
		}
		removed = int(done.RowsAffected)
		c := row.connection()
		change(&c, removed)
		row.Revision++ // what workers remember of the rows is old
		return t.storeConnection(tx, row, &c, row.ImportID)
	})
	return removed, err
}

// forgetter is how a database forgets chats. On PostgreSQL those are functions, since the program itself may not change
// what was kept of chats, except to seal it anew.
type forgetter interface {
	// tenantsToForget is a query for the ids of tenants that have chats to forget.
	tenantsToForget(db *gorm.DB) *gorm.DB
	// forgetChats removes what is kept of ended chats, but for when they came and how they ended.
	forgetChats(tx *gorm.DB, tenant hub.ID, ids []hub.ID) error
	// endErased ends the unfinished chats of visitors as erased, and counts them.
	endErased(tx *gorm.DB, tenant hub.ID, visitors []string) (int, error)
}

func (postgresDialect) tenantsToForget(db *gorm.DB) *gorm.DB {
	return db.Raw("select tenants_to_forget()")
}

func (postgresDialect) forgetChats(tx *gorm.DB, _ hub.ID, ids []hub.ID) error {
	return tx.Exec("select forget_chats(?::text[]::uuid[])", array[string](texts(ids))).Error
}

func (postgresDialect) endErased(tx *gorm.DB, _ hub.ID, visitors []string) (n int, err error) {
	return n, tx.Raw("select end_erased(?::text[])", array[string](visitors)).Scan(&n).Error
}

func (sqliteDialect) tenantsToForget(db *gorm.DB) *gorm.DB {
	return db.Raw(`select t.id from tenants t where exists (
		select 1 from chats c where c.tenant_id = t.id and c.id > t.forgotten
			and c.id < (select printf('%08x-%04x-0000-0000-000000000000', ms >> 16, ms & 65535) from (select ? - t.retention_days * 86400000 as ms)))`,
		time.Now().UnixMilli())
}

func (d sqliteDialect) forgetChats(tx *gorm.DB, tenant hub.ID, ids []hub.ID) error {
	for _, part := range []struct{ statement, key string }{
		{"update chats set body = x'', visitor_id = ''", "id"},
		{"update outcomes set trail = null, details = null", "chat_id"},
		{"delete from attempts", "chat_id"},
	} {
		err := tx.Exec(part.statement+" where tenant_id = ? and "+part.key+" in (select value from json_each(?))", tenant, formatIDs(ids)).Error
		if err != nil {
			return err
		}
	}
	return nil
}

func (d sqliteDialect) endErased(tx *gorm.DB, tenant hub.ID, visitors []string) (n int, err error) {
	var held []struct {
		VisitorID string
		ChatID    hub.ID
		Tries     int
		Older     string
	}
	if err := d.amongTexts(tx.Table("work"), "visitor_id", visitors).Find(&held).Error; err != nil {
		return 0, err
	}
	now := sqliteNow()
	for _, h := range held {
		older, err := parseIDs(h.Older)
		if err != nil {
			return 0, err
		}
		for i, chat := range slices.Insert(older, 0, h.ChatID) {
			tries := 0
			if i == 0 {
				tries = h.Tries
			}
			done := tx.Exec(`insert into outcomes (tenant_id, chat_id, outcome, ms, card_version, tries, at)
				select c.tenant_id, c.id, ?, (julianday(?) - julianday(c.received_at)) * 86400000, 0, ?, ?
				from chats c where c.tenant_id = ? and c.id = ? on conflict do nothing`, hub.Erased, now, tries, now, tenant, chat)
			if done.Error != nil {
				return 0, done.Error
			}
			n += int(done.RowsAffected)
		}
		if err := tx.Exec("delete from work where tenant_id = ? and visitor_id = ?", tenant, h.VisitorID).Error; err != nil {
			return 0, err
		}
	}
	return n, nil
}

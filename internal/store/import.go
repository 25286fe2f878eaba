package store

import (
	"context"
	"fmt"
	"time"

	"gorm.io/gorm"

	"sidecard/internal/hub"
)

const (
	loadBatch   = 1024             // rows written in one transaction
	removeBatch = 5_000            // rows removed in one transaction, so that none is long
	aliveFor    = time.Hour        // an import without a sign of life for so long broke off; also how often that is looked at
	removalTime = 10 * time.Minute // for removing the rows of one import
)

type importRow struct {
	ID       hub.ID
	TenantID hub.ID
	AliveAt  time.Time
}

func (importRow) TableName() string { return "imports" }

type importedRow struct {
	TenantID hub.ID
	ImportID hub.ID
	Idx      []byte
	Line     int
	Data     []byte
}

func (importedRow) TableName() string { return "imported_rows" }

// ReplaceRows implements hub.TenantStore. The rows are loaded beside the present ones, in short transactions,
// and count from the moment the connection names them.
func (t tenant) ReplaceRows(ctx context.Context, connection hub.ID, load func(hub.RowWriter) error, change func(*hub.Connection)) (hub.Connection, error) {
	if _, err := t.Connection(ctx, connection); err != nil {
		return hub.Connection{}, err
	}
	loading := &loader{ctx: hub.WithAudit(ctx, nil), tenant: t, id: hub.NewID()}
	if err := loading.begin(); err != nil {
		return hub.Connection{}, err
	}
	err := load(loading)
	if err == nil {
		err = loading.flush()
	}
	var updated hub.Connection
	unused := &loading.id
	if err == nil {
		updated, unused, err = t.useImport(ctx, connection, loading.id, change)
	}
	if unused != nil {
		t.s.dropImport(t.id, *unused)
	}
	if err != nil {
		return hub.Connection{}, fmt.Errorf("load rows: %w", err)
	}
	return updated, nil
}

// useImport makes an import's rows the connection's, and gives the import whose rows are not used any more:
// the one before, or this one when it failed.
func (t tenant) useImport(ctx context.Context, connection, id hub.ID, change func(*hub.Connection)) (c hub.Connection, unused *hub.ID, err error) {
	err = t.change(ctx, "use rows", func(tx *gorm.DB) error {
		row, err := t.lockConnection(tx, connection)
		if err != nil {
			return err
		}
		unused = row.ImportID
		c = row.connection()
		change(&c)
		if err := t.storeConnection(tx, row, &c, &id); err != nil {
			return err
		}
		return t.allowRows(tx)
	})
	if err != nil {
		return hub.Connection{}, &id, err
	}
	return c, unused, nil
}

// loader writes the rows of an import in batches.
type loader struct {
	ctx    context.Context
	tenant tenant
	id     hub.ID
	batch  []importedRow
}

func (l *loader) begin() error {
	return l.tenant.change(l.ctx, "begin import", func(tx *gorm.DB) error {
		return tx.Create(&importRow{ID: l.id, TenantID: l.tenant.id, AliveAt: time.Now().UTC()}).Error
	})
}

// WriteRow implements hub.RowWriter.
func (l *loader) WriteRow(r hub.Row) error {
	l.batch = append(l.batch, importedRow{TenantID: l.tenant.id, ImportID: l.id, Idx: r.Index, Line: r.Line, Data: r.Data})
	if len(l.batch) < loadBatch {
		return nil
	}
	return l.flush()
}

func (l *loader) flush() error {
	if len(l.batch) == 0 {
		return nil
	}
	err := l.tenant.change(l.ctx, "write rows", func(tx *gorm.DB) error {
		alive := tx.Model(&importRow{}).Where("id = ?", l.id).Update("alive_at", time.Now().UTC())
		if alive.Error != nil {
			return alive.Error
		}
		return l.tenant.s.dialect.insertRows(tx, l.batch)
	})
	l.batch = l.batch[:0]
	return err
}

// FindRows implements hub.TenantStore.
func (t tenant) FindRows(ctx context.Context, connection hub.ID, index []byte, limit int) ([]hub.Row, error) {
	return t.rows(ctx, connection, func(list *gorm.DB) *gorm.DB { return list.Where("idx = ?", index).Order("line desc").Limit(limit) })
}

// Rows implements hub.TenantStore.
func (t tenant) Rows(ctx context.Context, connection hub.ID, q hub.RowQuery) ([]hub.Row, error) {
	return t.rows(ctx, connection, func(list *gorm.DB) *gorm.DB {
		if q.After != nil {
			list = list.Where("(idx, line) > (?, ?)", q.After.Index, q.After.Line)
		}
		return list.Order("idx, line").Limit(q.Limit)
	})
}

// rows reads the rows of a connection that pick picks.
func (t tenant) rows(ctx context.Context, connection hub.ID, pick func(*gorm.DB) *gorm.DB) ([]hub.Row, error) {
	var rows []importedRow
	err := t.view(ctx, "find rows", func(tx *gorm.DB) error {
		active := tx.Model(&connectionRow{}).Select("import_id").Where("id = ?", connection)
		return pick(tx.Where("import_id = (?)", active)).Find(&rows).Error
	})
	found := make([]hub.Row, len(rows))
	for i, r := range rows {
		found[i] = hub.Row{Line: r.Line, Index: r.Idx, Data: r.Data}
	}
	return found, err
}

// dropImport removes an import that no connection names. It goes on when the caller's request is over, but
// not past Close; what it does not finish is removed later as stale.
func (s *Store) dropImport(owner, id hub.ID) {
	ctx, cancel := context.WithTimeout(s.background, removalTime)
	defer cancel()
	t := tenant{s, owner}
	for more := true; more; {
		err := t.change(ctx, "remove rows", func(tx *gorm.DB) (err error) {
			more, err = removeBatchOf(tx, id)
			return err
		})
		if err != nil {
			s.log.WarnContext(ctx, "rows that are not used are still there", "tenant", owner, "import", id, "error", err)
			return
		}
	}
}

// removeBatchOf removes an import's first rows in the order of their key, or the rest and the import itself.
func removeBatchOf(tx *gorm.DB, id hub.ID) (more bool, err error) {
	rows := tx.Where("import_id = ?", id).Session(&gorm.Session{})
	var edge []importedRow
	if err := rows.Select("idx, line").Order("idx, line").Offset(removeBatch - 1).Limit(1).Find(&edge).Error; err != nil {
		return false, err
	}
	if len(edge) > 0 {
		// gorm would take "(?" as a list of the bytes.
		return true, rows.Where("(idx, line) <= ( ?, ?)", edge[0].Idx, edge[0].Line).Delete(&importedRow{}).Error
	}
	if err := rows.Delete(&importedRow{}).Error; err != nil {
		return false, err
	}
	return false, tx.Where("id = ?", id).Delete(&importRow{}).Error
}

// keepHouse removes tenants whose time is up and stale imports, and forgets old chats, now and then, until ctx is done.
func (s *Store) keepHouse(ctx context.Context) {
	often, seldom := time.NewTicker(purgeEvery), time.NewTicker(aliveFor)
	defer often.Stop()
	defer seldom.Stop()
	s.removeStaleImports(ctx)
	for {
		s.purge(ctx)
		s.forget(ctx)
		select {
		case <-often.C:
		case <-seldom.C:
			s.removeStaleImports(ctx)
		case <-ctx.Done():
			return
		}
	}
}

// removeStaleImports removes what loads that broke off have left behind, of any tenant.
func (s *Store) removeStaleImports(ctx context.Context) {
	var stale []importRow
	err := s.reader.WithContext(ctx).Raw(s.dialect.staleImports(), time.Now().UTC().Add(-aliveFor)).Find(&stale).Error
	if err != nil {
		if ctx.Err() == nil { // else the store is being closed
			s.log.WarnContext(ctx, "imports that broke off are not looked for", "error", err)
		}
		return
	}
	for _, i := range stale {
		s.dropImport(i.TenantID, i.ID)
	}
}

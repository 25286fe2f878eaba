package store

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"time"

	"gorm.io/gorm"

	"sidecard/internal/hub"
)

type connectionRow struct {
	ID          hub.ID
	TenantID    hub.ID
	Kind        string
	Name        string
	SpecVersion int
	Settings    document[json.RawMessage]
	Secrets     []byte
	SecretNames document[[]string]
	LastCheck   document[*checkDocument]
	LastImport  document[*importDocument]
	ImportID    *hub.ID
	Revision    int64
	CreatedAt   time.Time
	UpdatedAt   time.Time `gorm:"autoUpdateTime:false"`
}

func (connectionRow) TableName() string { return "connections" }

func (t tenant) newConnectionRow(c hub.Connection) connectionRow {
	if c.SecretNames == nil {
		c.SecretNames = []string{}
	}
	if c.Settings == nil {
		c.Settings = json.RawMessage("{}")
	}
	return connectionRow{
		ID: c.ID, TenantID: t.id, Kind: c.Kind, Name: c.Name, SpecVersion: c.SpecVersion,
		Settings: document[json.RawMessage]{c.Settings}, Secrets: c.Secrets, SecretNames: document[[]string]{c.SecretNames},
		LastCheck: document[*checkDocument]{newCheckDocument(c.Check)}, LastImport: document[*importDocument]{newImportDocument(c.Import)},
		Revision: c.Revision, CreatedAt: c.CreatedAt.UTC(), UpdatedAt: c.UpdatedAt.UTC(),
	}
}

func (r connectionRow) connection() hub.Connection {
	return hub.Connection{
		ID: r.ID, Kind: r.Kind, Name: r.Name, SpecVersion: r.SpecVersion,
		Settings: r.Settings.V, Secrets: r.Secrets, SecretNames: r.SecretNames.V,
		Check: r.LastCheck.V.result(), Import: r.LastImport.V.result(),
		Revision: r.Revision, CreatedAt: r.CreatedAt.UTC(), UpdatedAt: r.UpdatedAt.UTC(),
	}
}

// Connections implements hub.TenantStore.
func (t tenant) Connections(ctx context.Context) ([]hub.Connection, error) {
	var list []hub.Connection
	err := t.view(ctx, "list connections", func(tx *gorm.DB) (err error) {
		list, err = listConnections(tx)
		return err
	})
	return list, err
}

func listConnections(tx *gorm.DB) ([]hub.Connection, error) {
	var rows []connectionRow
	err := tx.Order("created_at, id").Find(&rows).Error
	list := make([]hub.Connection, len(rows))
	for i, r := range rows {
		list[i] = r.connection()
	}
	return list, err
}

// Connection implements hub.TenantStore.
func (t tenant) Connection(ctx context.Context, id hub.ID) (hub.Connection, error) {
	var row connectionRow
	err := t.view(ctx, "read connection", func(tx *gorm.DB) error { return tx.Where("id = ?", id).Take(&row).Error })
	if err != nil {
		return hub.Connection{}, err
	}
	return row.connection(), nil
}

// CreateConnection implements hub.TenantStore.
func (t tenant) CreateConnection(ctx context.Context, c hub.Connection) error {
	c.Revision = 1
	row := t.newConnectionRow(c)
	return t.change(ctx, "create connection", func(tx *gorm.DB) error {
		if err := tx.Create(&row).Error; err != nil {
			return err
		}
		if err := t.touch(tx); err != nil {
			return err
		}
		return t.allowConnections(tx)
	})
}

// UpdateConnection implements hub.TenantStore. The connection's id, kind, birth and rows stay; its revision
// is counted here.
func (t tenant) UpdateConnection(ctx context.Context, id hub.ID, change func(*hub.Connection) error) (hub.Connection, error) {
	var updated hub.Connection
	err := t.change(ctx, "update connection", func(tx *gorm.DB) error {
		row, err := t.lockConnection(tx, id)
		if err != nil {
			return err
		}
		updated = row.connection()
		if err := change(&updated); err != nil {
			return err
		}
		return t.storeConnection(tx, row, &updated, row.ImportID)
	})
	if err != nil {
		return hub.Connection{}, err
	}
	return updated, nil
}

func (t tenant) lockConnection(tx *gorm.DB, id hub.ID) (connectionRow, error) {
	var row connectionRow
	err := t.s.dialect.lock(tx).Where("id = ?", id).Take(&row).Error
	return row, err
}

// storeConnection writes a connection over the row that it was read from, with the import whose rows count.
func (t tenant) storeConnection(tx *gorm.DB, before connectionRow, c *hub.Connection, rows *hub.ID) error {
	c.ID, c.Kind, c.CreatedAt, c.Revision = before.ID, before.Kind, before.CreatedAt.UTC(), before.Revision
	if changesLookups(*c, before) || rows != before.ImportID {
		c.Revision++
	}
	after := t.newConnectionRow(*c)
	after.ImportID = rows
	if err := tx.Model(&connectionRow{}).Where("id = ?", c.ID).Select("*").Omit("id", "tenant_id").Updates(&after).Error; err != nil {
		return err
	}
	return t.touch(tx)
}

// DeleteConnection implements hub.TenantStore. Its rows count no more at once; removing them takes a while,
// and what a crash leaves of them is removed later.
func (t tenant) DeleteConnection(ctx context.Context, id hub.ID) error {
	var rows *hub.ID
	err := t.change(ctx, "delete connection", func(tx *gorm.DB) error {
		row, err := t.lockConnection(tx, id)
		if err != nil {
			return err
		}
		rows = row.ImportID
		if err := tx.Where("id = ?", id).Delete(&connectionRow{}).Error; err != nil {
			return err
		}
		return t.touch(tx)
	})
	if err == nil && rows != nil {
		t.s.dropImport(t.id, *rows)
	}
	return err
}

// changesLookups reports whether a connection's source must be opened anew.
func changesLookups(c hub.Connection, before connectionRow) bool {
	was := before.connection()
	return c.SpecVersion != was.SpecVersion || !bytes.Equal(c.Settings, was.Settings) ||
		!bytes.Equal(c.Secrets, was.Secrets) || !slices.Equal(c.SecretNames, was.SecretNames)
}

// Setup implements hub.TenantStore.
func (t tenant) Setup(ctx context.Context) (hub.Setup, error) {
	var setup hub.Setup
	err := t.view(ctx, "read setup", func(tx *gorm.DB) error {
		company, err := t.row(tx)
		if err != nil {
			return err
		}
		setup.Revision, setup.Tenant = company.Revision, company.tenant()
		var desk deskRow
		if err := tx.Take(&desk).Error; err != nil {
			return err
		}
		setup.Desk = desk.desk()
		if setup.Card, err = newestCard(tx); err != nil {
			return err
		}
		setup.Connections, err = listConnections(tx)
		return err
	})
	if err != nil {
		return hub.Setup{}, err
	}
	return setup, nil
}

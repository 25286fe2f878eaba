package store

import (
	"context"
	"time"

	"gorm.io/gorm"

	"sidecard/internal/hub"
)

type cardRow struct {
	TenantID    hub.ID
	Version     int
	Lines       document[[]hub.Line]
	PublishedAt time.Time
	PublishedBy *hub.ID // null for a token, and for who is gone
	ByName      string  // as it was then; of users who are there, as it is now
}

func (cardRow) TableName() string { return "cards" }

func (r cardRow) card() hub.Card {
	return hub.Card{Version: r.Version, Lines: r.Lines.V, PublishedAt: r.PublishedAt.UTC(), PublishedBy: orZero(r.PublishedBy), ByName: r.ByName}
}

// cardsOf selects the tenant's cards with the names of who published them, newest first.
func cardsOf(tx *gorm.DB) *gorm.DB {
	return tx.Select(`cards.tenant_id, cards.version, cards.lines, cards.published_at, cards.published_by,
			coalesce(nullif(users.name, ''), users.email, cards.by_name) as by_name`).
		Joins("left join users on users.id = cards.published_by").Order("cards.version desc")
}

func newestCard(tx *gorm.DB) (hub.Card, error) {
	var rows []cardRow
	if err := cardsOf(tx).Limit(1).Find(&rows).Error; err != nil || len(rows) == 0 {
		return hub.Card{}, err
	}
	return rows[0].card(), nil
}

// Card implements hub.TenantStore.
func (t tenant) Card(ctx context.Context) (hub.Card, error) {
	var card hub.Card
	err := t.view(ctx, "read card", func(tx *gorm.DB) (err error) {
		card, err = newestCard(tx)
		return err
	})
	return card, err
}

// Cards implements hub.TenantStore.
func (t tenant) Cards(ctx context.Context) ([]hub.Card, error) {
	var rows []cardRow
	err := t.view(ctx, "list cards", func(tx *gorm.DB) error { return cardsOf(tx).Find(&rows).Error })
	cards := make([]hub.Card, len(rows))
	for i, r := range rows {
		cards[i] = r.card()
	}
	return cards, err
}

// PublishCard implements hub.TenantStore.
func (t tenant) PublishCard(ctx context.Context, c hub.Card, basedOn int) (hub.Card, error) {
	var published hub.Card
	err := t.change(ctx, "publish card", func(tx *gorm.DB) error {
		if err := t.touch(tx); err != nil { // first: it also keeps others from publishing meanwhile
			return err
		}
		newest, err := newestCard(tx)
		if err != nil {
			return err
		}
		if basedOn >= 0 && basedOn != newest.Version {
			return &hub.Error{
				Code:    hub.CodeConflict,
				Message: "Somebody else published the card meanwhile. Look at the newest version and make your change there.",
			}
		}
		row := cardRow{
			TenantID: t.id, Version: newest.Version + 1, Lines: document[[]hub.Line]{c.Lines},
			PublishedAt: c.PublishedAt.UTC(), ByName: c.ByName,
		}
		if c.PublishedBy != (hub.ID{}) {
			row.PublishedBy = &c.PublishedBy
		}
		if row.Lines.V == nil {
			row.Lines.V = []hub.Line{}
		}
		if err := tx.Create(&row).Error; err != nil {
			return err
		}
		published, err = newestCard(tx)
		return err
	})
	return published, err
}

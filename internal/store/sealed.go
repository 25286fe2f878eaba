package store

import (
	"cmp"
	"context"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"gorm.io/gorm"

	"sidecard/internal/hub"
)

// sealedColumns lists every column that holds sealed values, so that they can be sealed anew; a test compares it
// with the migrations. A new one joins by a line: the column, the columns that name its row, the column with the
// tenant if there is one, and the place as in the hub's vault.Ref. Where the place's row is not what names the row
// here, as of the parts of a chat, an SQL expression gives it.
var sealedColumns = []hub.SealedColumn{
	sealedIn("signing_keys.sealed", "key_id", "", "signing_keys.sealed", ""),
	sealedIn("mails.sealed", "id", "", "mails.sealed", ""),
	sealedIn("refresh_tokens.successor", "hash", "", "refresh_tokens.successor", ""),
	sealedIn("second_factors.secret", "user_id", "", "second_factors.secret", ""),
	sealedIn("links.sealed", "hash", "", "links.sealed", ""),

	sealedIn("tenants.index_key", "id", "id", "tenants.index_key", ""),
	sealedIn("desks.token_sealed", "id", "tenant_id", "desks.token", ""),
	sealedIn("desks.secret_sealed", "id", "tenant_id", "desks.secret", ""),
	sealedIn("desks.previous_secret_sealed", "id", "tenant_id", "desks.previous_secret", ""),
	sealedIn("desks.api_key_sealed", "id", "tenant_id", "desks.api_key", ""),
	sealedIn("connections.secrets", "id", "tenant_id", "connections.secrets", ""),
	sealedIn("logins.tokens", "connection_id", "tenant_id", "logins.tokens", ""),
	sealedIn("logins.verifier", "connection_id", "tenant_id", "logins.verifier", ""),
	sealedIn("chats.body", "id", "tenant_id", "chats.body", ""),
	sealedIn("work.details", "visitor_id", "tenant_id", "chats.details", "cast(chat_id as text)"),
	sealedIn("outcomes.details", "chat_id", "tenant_id", "chats.details", ""),
	sealedIn("attempts.excerpt", "chat_id,number", "tenant_id", "chats.excerpt", "cast(chat_id as text)"),
	// Rows that no connection names are left over from a load that broke off, and soon gone.
	sealedIn("imported_rows.data", "import_id,idx,line", "tenant_id", "rows.data",
		"coalesce((select cast(c.id as text) from connections c where c.import_id = imported_rows.import_id), '') || '/' || cast(line as text)"),
}

func sealedIn(column, keys, owner, place, row string) hub.SealedColumn {
	c := hub.SealedColumn{Owner: owner, Keys: strings.Split(keys, ","), PlaceRow: row}
	c.Table, c.Column, _ = strings.Cut(column, ".")
	c.PlaceTable, c.PlaceColumn, _ = strings.Cut(place, ".")
	return c
}

// SealedColumns implements hub.KeyStore.
func (s *Store) SealedColumns() []hub.SealedColumn { return slices.Clone(sealedColumns) }

// SealedValues implements hub.KeyStore.
func (s *Store) SealedValues(ctx context.Context, c hub.SealedColumn, q hub.SealedQuery) (values []hub.SealedValue, err error) {
	if values, err = sealedValues(s.reader.WithContext(ctx), c, q, nil); err != nil {
		return nil, fmt.Errorf("list sealed values of %s: %w", c, translate(err))
	}
	return values, nil
}

// ReplaceSealed implements hub.KeyStore.
func (s *Store) ReplaceSealed(ctx context.Context, c hub.SealedColumn, values []hub.SealedValue) (n int, err error) {
	err = transact(s.writer.WithContext(ctx), nil, "replace sealed values of "+c.String(), func(tx *gorm.DB) error {
		n, err = replaceSealed(tx, c, values, nil)
		return err
	})
	return n, err
}

// SealedValues implements hub.TenantKeys.
func (t tenant) SealedValues(ctx context.Context, c hub.SealedColumn, q hub.SealedQuery) (values []hub.SealedValue, err error) {
	err = t.view(ctx, "list sealed values of "+c.String(), func(tx *gorm.DB) error {
		values, err = sealedValues(tx, c, q, []any{t.id})
		return err
	})
	return values, err
}

// ReplaceSealed implements hub.TenantKeys.
func (t tenant) ReplaceSealed(ctx context.Context, c hub.SealedColumn, values []hub.SealedValue) (n int, err error) {
	err = t.change(ctx, "replace sealed values of "+c.String(), func(tx *gorm.DB) error {
		n, err = replaceSealed(tx, c, values, []any{t.id})
		return err
	})
	return n, err
}

// sealedValues reads a page. The owner is the tenant's id, or nothing.
func sealedValues(tx *gorm.DB, c hub.SealedColumn, q hub.SealedQuery, owner []any) ([]hub.SealedValue, error) {
	keys := strings.Join(c.Keys, ", ")
	is := "="
	if q.Other {
		is = "<>"
	}
	where, args := fmt.Sprintf("substr(%s, 1, %d) %s ?", c.Column, len(q.Prefix), is), []any{q.Prefix}
	if len(owner) > 0 {
		where, args = where+" and "+c.Owner+" = ?", append(args, owner...)
	}
	if q.After != nil {
		where, args = where+" and "+after(c.Keys), append(args, q.After...)
	}
	rows, err := tx.Raw(fmt.Sprintf("select %s as place, %s, %s from %s where %s order by %s limit ?", cmp.Or(c.PlaceRow, "''"), c.Column, keys, c.Table, where, keys),
		append(args, q.Limit)...).Rows()
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var values []hub.SealedValue
	for rows.Next() {
		v := hub.SealedValue{Key: make([]any, len(c.Keys))}
		to := []any{&v.Row, &v.Sealed}
		for i := range v.Key {
			to = append(to, &v.Key[i])
		}
		if err := rows.Scan(to...); err != nil {
			return nil, err
		}
		if c.PlaceRow == "" {
			v.Row = rowName(v.Key)
		}
		values = append(values, v)
	}
	return values, rows.Err()
}

// rowName names a row by its keys, as the hub does.
func rowName(key []any) string {
	parts := make([]string, len(key))
	for i, k := range key {
		parts[i] = fmt.Sprint(k)
		if b, ok := k.([]byte); ok {
			parts[i] = hex.EncodeToString(b)
		}
	}
	return strings.Join(parts, "/")
}

// after is the condition for rows behind the one whose keys are the parameters.
func after(keys []string) string {
	if len(keys) == 1 {
		return keys[0] + " > ?"
	}
	return "(" + strings.Join(keys, ", ") + ") > (?" + strings.Repeat(", ?", len(keys)-1) + ")"
}

func replaceSealed(tx *gorm.DB, c hub.SealedColumn, values []hub.SealedValue, owner []any) (int, error) {
	where := c.Column + " = ?"
	for _, key := range c.Keys {
		where += " and " + key + " = ?"
	}
	if len(owner) > 0 {
		where += " and " + c.Owner + " = ?"
	}
	statement := fmt.Sprintf("update %s set %s = ? where %s", c.Table, c.Column, where)
	changed := 0
	for _, v := range values {
		done := tx.Exec(statement, slices.Concat([]any{v.Anew, v.Sealed}, v.Key, owner)...)
		if done.Error != nil {
			return 0, done.Error
		}
		changed += int(done.RowsAffected)
	}
	return changed, nil
}

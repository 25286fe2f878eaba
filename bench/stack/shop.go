package stack

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/jackc/pgx/v5"

	"sidecard/internal/api/contract"
	"sidecard/internal/servertest"
)

// Shop is a PostgreSQL of tenants' own, apart from Sidecard's, in which each lookup takes its time.
type Shop struct {
	address *url.URL
}

// StartShop starts a shop whose lookups take that long. It ends with the stack.
func (s *Stack) StartShop(ctx context.Context, takes time.Duration) (*Shop, error) {
	server, err := servertest.StartPostgres(ctx, servertest.PostgresOptions{})
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	s.closers = append(s.closers, func() { _ = server.Stop() })
	s.mu.Unlock()
	address, err := url.Parse(server.URL())
	if err != nil {
		return nil, err
	}
	if password, ok := address.User.Password(); ok {
		s.mu.Lock()
		s.secrets = append(s.secrets, password)
		s.mu.Unlock()
	}
	shop := &Shop{address: address}
	if err := shop.exec(ctx, "create table people (marker text, email text, name text, plan text)"); err != nil {
		return nil, err
	}
	return shop, shop.Take(ctx, takes)
}

// Take has each lookup take that long from now on.
func (shop *Shop) Take(ctx context.Context, long time.Duration) error {
	return shop.exec(ctx, fmt.Sprintf(
		"create or replace function slowly() returns void language sql volatile as 'select pg_sleep(%f)'", long.Seconds()))
}

func (shop *Shop) exec(ctx context.Context, statements string) error {
	conn, err := pgx.Connect(ctx, shop.address.String())
	if err != nil {
		return err
	}
	_, err = conn.Exec(ctx, statements)
	return errors.Join(err, conn.Close(ctx))
}

// ShowSlowly has the tenant show its customers out of the shop.
func (t *Tenant) ShowSlowly(ctx context.Context, shop *Shop) error {
	t.Marker = fmt.Sprintf("shop-%04d", t.Number)
	view := fmt.Sprintf("customers_%d", t.Number)
	// The subquery calls a volatile function, so it is neither dropped nor moved: it runs once for each lookup.
	err := shop.exec(ctx, fmt.Sprintf(`
		insert into people select '%[1]s', 'customer' || to_char(i, 'FM00') || '@%[2]s', 'Customer ' || i || ' of %[1]s', 'Care'
		from generate_series(0, %[3]d) i;
		create view %[4]s as select p.email, p.name, p.plan from people p, (select slowly() as s) w
		where p.marker = '%[1]s'`, t.Marker, AddressDomain, customers-1, view))
	if err != nil {
		return fmt.Errorf("%s: fill the shop: %w", t.Name, err)
	}
	client, _, err := t.SignIn(ctx)
	if err != nil {
		return err
	}
	settings, err := shop.settings(view)
	if err != nil {
		return err
	}
	source, err := client.Connect(ctx, contract.ConnectionCreate{Kind: "postgres", Name: "Shop", Settings: settings})
	if err != nil {
		return fmt.Errorf("%s: connect the shop: %w", t.Name, err)
	}
	return t.publish(ctx, client, source)
}

func (shop *Shop) settings(table string) (map[string]json.RawMessage, error) {
	password, _ := shop.address.User.Password()
	settings := map[string]json.RawMessage{"port": json.RawMessage(shop.address.Port())}
	for name, value := range map[string]string{
		"host": shop.address.Hostname(), "database": shop.address.Path[1:], "user": shop.address.User.Username(),
		"password": password, "tls": "off", "table": table, "email_column": "email",
	} {
		text, err := json.Marshal(value)
		if err != nil {
			return nil, err
		}
		settings[name] = text
	}
	return settings, nil
}

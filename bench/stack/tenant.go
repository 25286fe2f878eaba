package stack

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"sidecard/internal/api/contract"
	"sidecard/internal/livesupporti/livesupportitest"
	"sidecard/internal/tour"
)

// Tenant is a tenant of the stack, with all that its owner knows.
type Tenant struct {
	Number   int
	Name     string // unique
	Account  string // LiveSupporti's id of it
	Email    string // of the owner here, and of the account there
	Password string
	APIKey   string
	Secret   string // of its WebHook
	// Marker stands in every row of the tenant's own data and in nobody else's; "" until it shows some.
	Marker string

	stack *Stack
}

// AddTenants walks the tour once for each tenant.
func (s *Stack) AddTenants(ctx context.Context, n int) ([]*Tenant, error) {
	added := make([]*Tenant, n)
	for i := range added {
		t, err := s.addTenant(ctx)
		if err != nil {
			return nil, err
		}
		added[i] = t
	}
	return added, nil
}

func (s *Stack) addTenant(ctx context.Context) (*Tenant, error) {
	s.mu.Lock()
	number := len(s.tenants)
	t := &Tenant{
		Number: number, Name: fmt.Sprintf("Tenant %d", number), Email: fmt.Sprintf("owner%d@tenant%d.example", number, number),
		Password: "bench-with-some-words", APIKey: fmt.Sprintf("bench-api-key-%d", number), Secret: "not registered yet", stack: s,
	}
	s.tenants = append(s.tenants, t)
	s.mu.Unlock()
	t.Account = s.Live.AddAccount(t.Email, t.APIKey)
	register := func(ctx context.Context, callbackURL, secret string) error {
		s.mu.Lock()
		t.Secret = secret
		s.mu.Unlock()
		_, err := s.Live.RegisterWebHook(ctx, t.Account, livesupportitest.Registration{CallbackURL: callbackURL, Secret: secret})
		return err
	}
	who := tour.Newcomer{Company: t.Name, Email: t.Email, Password: t.Password, DeskEmail: t.Email, APIKey: t.APIKey}
	if err := tour.NewClient(s.URL).Walk(ctx, who, s.inbox, register, func(string) {}); err != nil {
		return nil, fmt.Errorf("%s: %w", t.Name, err)
	}
	return t, nil
}

// inbox waits for a mail. An address gets one here, of whatever kind.
func (s *Stack) inbox(ctx context.Context, to, _ string) (string, error) {
	m, err := s.mails.WaitTo(ctx, to)
	if err != nil {
		return "", err
	}
	return m.Text()
}

// SignIn signs the tenant's owner in. Access tokens last ten minutes.
func (t *Tenant) SignIn(ctx context.Context) (*tour.Client, contract.Session, error) {
	client := tour.NewClient(t.stack.URL)
	session, err := client.SignIn(ctx, contract.SignIn{Email: t.Email, Password: t.Password})
	if err != nil {
		return nil, session, fmt.Errorf("%s: sign in: %w", t.Name, err)
	}
	return client, session, nil
}

// Visitors' addresses are the same for all tenants, so that data crossed between them is plausible and seen by its
// marker alone. No log may hold AddressDomain.
const (
	AddressDomain = "shoppers.example"
	customers     = 20
)

// Address is the address of a customer that every tenant knows.
func Address(i int) string { return fmt.Sprintf("customer%02d@%s", i%customers, AddressDomain) }

// ShowOwnList replaces the tour's sample by the tenant's own list of customers, with its marker in each row.
func (t *Tenant) ShowOwnList(ctx context.Context) error {
	t.Marker = fmt.Sprintf("shop-%04d", t.Number)
	client, _, err := t.SignIn(ctx)
	if err != nil {
		return err
	}
	list, err := client.Connect(ctx, contract.ConnectionCreate{Kind: "csv", Name: "Own list", Settings: map[string]json.RawMessage{}})
	if err != nil {
		return fmt.Errorf("%s: connect a list: %w", t.Name, err)
	}
	var file strings.Builder
	file.WriteString("email,name,plan\n")
	for i := range customers {
		fmt.Fprintf(&file, "%s,Customer %d of %s,Care\n", Address(i), i, t.Marker)
	}
	if _, err := client.Upload(ctx, list.Id.String(), "own.csv", strings.NewReader(file.String())); err != nil {
		return fmt.Errorf("%s: upload: %w", t.Name, err)
	}
	return t.publish(ctx, client, list)
}

func (t *Tenant) publish(ctx context.Context, client *tour.Client, source contract.Connection) error {
	_, err := client.Publish(ctx, []contract.CardLine{
		{Label: "Name", ConnectionId: source.Id, Field: "name"}, {Label: "Plan", ConnectionId: source.Id, Field: "plan"},
	})
	if err != nil {
		return fmt.Errorf("%s: publish: %w", t.Name, err)
	}
	return nil
}

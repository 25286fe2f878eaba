package tour

import (
	"context"
	"embed"
	"encoding/json"
	"fmt"

	"sidecard/internal/api/contract"
)

//go:embed customers.csv
var samples embed.FS

// SampleFile is the name of the sample list of customers.
const SampleFile = "customers.csv"

// SampleEmails are customers in the sample, and one stranger.
var SampleEmails = []string{"maya@lindqvist.se", "o.hallberg@hallberg.no", "s.amrani@example.com", "k.novak@example.com", "nobody@example.com"}

// Newcomer is who walks the tour.
type Newcomer struct {
	Company, Name, Email, Password string
	DeskEmail, APIKey              string // LiveSupporti credentials
}

// Registrar puts a callback URL and its secret into LiveSupporti, as the tenant would by hand.
type Registrar func(ctx context.Context, callbackURL, secret string) error

// Walk signs up and sets everything up: sample data, card, desk, WebHook. Step is told of each thing done.
func (c *Client) Walk(ctx context.Context, n Newcomer, inbox Inbox, register Registrar, step func(string)) error {
	_, err := c.SignUp(ctx, contract.SignUp{Company: n.Company, Name: &n.Name, Email: n.Email, Password: n.Password}, inbox)
	if err != nil {
		return fmt.Errorf("sign up: %w", err)
	}
	step("Signed up " + n.Company + ".")
	rows, err := c.ConnectSample(ctx)
	if err != nil {
		return err
	}
	step(fmt.Sprintf("Uploaded %s: %d customers. Published a card.", SampleFile, rows))
	desk, secret, err := c.ConnectDesk(ctx, contract.DeskUpdate{Email: &n.DeskEmail, ApiKey: &n.APIKey})
	if err != nil {
		return fmt.Errorf("connect the desk: %w", err)
	}
	test, err := c.TestDesk(ctx)
	if err != nil {
		return fmt.Errorf("test the desk: %w", err)
	}
	if !test.Ok {
		return fmt.Errorf("test the desk: %s", test.Message)
	}
	if err := register(ctx, desk.CallbackUrl, secret.Secret); err != nil {
		return fmt.Errorf("register the WebHook: %w", err)
	}
	step("Connected the desk: " + test.Message)
	return nil
}

// ConnectSample uploads the sample list and publishes a card over it; it returns the number of rows.
func (c *Client) ConnectSample(ctx context.Context) (rows int, err error) {
	connection, err := c.Connect(ctx, contract.ConnectionCreate{Kind: "csv", Name: "Customer list", Settings: map[string]json.RawMessage{}})
	if err != nil {
		return 0, fmt.Errorf("connect a list: %w", err)
	}
	file, err := samples.Open(SampleFile)
	if err != nil {
		return 0, err
	}
	defer func() { _ = file.Close() }()
	report, err := c.Upload(ctx, connection.Id.String(), SampleFile, file)
	if err != nil {
		return 0, fmt.Errorf("upload the sample: %w", err)
	}
	if _, err := c.Publish(ctx, sampleCard(connection)); err != nil {
		return 0, fmt.Errorf("publish the card: %w", err)
	}
	return report.Rows, nil
}

func sampleCard(source contract.Connection) []contract.CardLine {
	line := func(label, field string, format contract.CardFormat) contract.CardLine {
		hide := true
		return contract.CardLine{Label: label, ConnectionId: source.Id, Field: field, Format: &format, HideIfEmpty: &hide}
	}
	return []contract.CardLine{
		line("Name", "name", contract.CardFormatText),
		line("Plan", "plan", contract.CardFormatText),
		line("Renews", "renews", contract.CardFormatDate),
		line("Last order", "last_order", contract.CardFormatText),
		line("Order status", "order_status", contract.CardFormatText),
		line("Bought so far", "bought_so_far", contract.CardFormatNumber),
		line("Newsletter", "newsletter", contract.CardFormatYesNo),
		line("Account manager", "account_manager", contract.CardFormatText),
	}
}

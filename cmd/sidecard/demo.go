package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"strconv"
	"text/tabwriter"
	"time"

	"sidecard/internal/api/contract"
	"sidecard/internal/livesupporti/livesupportitest"
	"sidecard/internal/tour"
)

// demoTime bounds the whole demonstration.
const demoTime = 30 * time.Second

// demo shows one chat from sign-up to the agent's screen, hands off.
func demo(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("demo", flag.ContinueOnError)
	email := flags.String("email", tour.SampleEmails[0], "the visitor's address")
	if err := flags.Parse(args); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, demoTime)
	defer cancel()
	dir, err := os.MkdirTemp("", "sidecard-demo-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	p, err := start(ctx, dir, addresses{portal: "127.0.0.1:0", simulator: "127.0.0.1:0"})
	if err != nil {
		return err
	}
	defer p.close()
	c := tour.NewClient(p.url)
	if err := c.Walk(ctx, demoTenant, p.inbox, p.register, func(s string) { fmt.Println(s) }); err != nil {
		return err
	}
	fmt.Printf("A chat starts: %s\n\n", *email)
	chat, err := p.simulator.StartChat(ctx, demoTenant.DeskEmail, livesupportitest.Visitor{Email: *email})
	if err != nil {
		return fmt.Errorf("start a chat: %w", err)
	}
	page, err := ended(ctx, c)
	if err != nil {
		return err
	}
	printCard(page)
	if page.Chat.Outcome.Name != contract.OutcomeNameShown {
		return fmt.Errorf("%s. %s", page.Chat.Outcome.Title, page.Chat.Outcome.Message)
	}
	shown, err := p.simulator.WaitShown(ctx, chat.ID)
	if err != nil {
		return fmt.Errorf("the agent's screen: %w", err)
	}
	fmt.Printf("\nThe agent saw it %s ms after the chat began.\n", ms(shown.Shown.AfterMS))
	return nil
}

// ended waits until the only chat has an outcome.
func ended(ctx context.Context, c *tour.Client) (contract.ChatPage, error) {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		list, err := c.Chats(ctx)
		if err != nil {
			return contract.ChatPage{}, err
		}
		if len(list.Chats) > 0 && list.Chats[0].Outcome.Name != contract.OutcomeNameWaiting {
			return c.Chat(ctx, list.Chats[0].Id.String())
		}
		select {
		case <-ctx.Done():
			return contract.ChatPage{}, fmt.Errorf("no outcome in time: %w", ctx.Err())
		case <-tick.C:
		}
	}
}

func printCard(page contract.ChatPage) {
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, page.Chat.Outcome.Title)
	for _, d := range page.Details {
		fmt.Fprintf(w, "  %s\t%s\n", d.Name, d.Value)
	}
	fmt.Fprintln(w, "\nPart\tafter ms\ttook ms\t")
	for _, part := range page.Timeline {
		fmt.Fprintf(w, "  %s\t%s\t%s\t%s\n", part.Label, ms(part.StartMs), ms(part.Ms), part.Note)
	}
	_ = w.Flush()
}

func ms[F float32 | float64](v F) string { return strconv.FormatFloat(float64(v), 'f', 1, 64) }

package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"sidecard/bench/stack"
	"sidecard/internal/livesupporti/livesupportitest"
	"sidecard/internal/tour"
)

// steadyFigures are what an open loop at a fixed rate gave.
type steadyFigures struct {
	Chats     int       `json:"chats"`
	Rate      int       `json:"rate_per_s"`
	Tenants   int       `json:"tenants"`
	Delivered int       `json:"delivered"`
	Lost      int       `json:"lost"`
	Doubled   int       `json:"delivered_more_than_once"`
	Refused   int       `json:"refused"`
	Seen      quantiles `json:"chat_began_to_agent_sees"`
	CPU       cpuUse    `json:"cpu_us_per_chat"`
	Seconds   float64   `json:"seconds"`
}

// ledger is what LiveSupporti's side saw, kept apart from what Sidecard says of itself.
type ledger struct {
	mu      sync.Mutex
	shown   map[string]int
	seen    []float64
	refused int
	change  chan struct{}
}

func (l *ledger) note(p livesupportitest.Post) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !p.Accepted {
		l.refused++
		return
	}
	if l.shown[p.ChatID]++; l.shown[p.ChatID] == 1 {
		l.seen = append(l.seen, float64(p.After.Microseconds())/1000)
	}
	select {
	case l.change <- struct{}{}:
	default:
	}
}

func (l *ledger) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.shown)
}

// steady starts chats at a fixed rate, whatever the answers, and counts what arrives.
func steady(ctx context.Context, o options) (any, error) {
	l := &ledger{shown: map[string]int{}, change: make(chan struct{}, 1)}
	s, err := stack.Start(ctx, stack.Options{
		Live: livesupportitest.Options{KeepChats: o.Chats + 1000, KeepPosts: 1, KeepWire: -1, OnPost: l.note},
	})
	if err != nil {
		return nil, err
	}
	defer func() { _ = s.Stop(false) }()
	tenants, err := s.AddTenants(ctx, o.Tenants)
	if err != nil {
		return nil, err
	}
	fmt.Printf("%d tenants are set up; %d chats at %d/s begin\n", o.Tenants, o.Chats, o.Rate)
	before, began := cpuOf(s), time.Now()
	for i := range o.Chats {
		if err := sleepUntil(ctx, began.Add(time.Duration(i)*time.Second/time.Duration(o.Rate))); err != nil {
			return nil, err
		}
		email := tour.SampleEmails[i%4] // the known ones
		if _, err := s.Live.StartChat(ctx, tenants[i%len(tenants)].Account, livesupportitest.Visitor{Email: email}); err != nil {
			return nil, fmt.Errorf("start chat %d: %w", i, err)
		}
	}
	l.await(ctx, o.Chats, 30*time.Second)
	figures := l.figures(o)
	figures.Seconds = time.Since(began).Seconds()
	figures.CPU = cpuOf(s).since(before).per(o.Chats)
	if figures.Lost > 0 || figures.Doubled > 0 || figures.Refused > 0 {
		return figures, fmt.Errorf("%d lost, %d doubled, %d refused", figures.Lost, figures.Doubled, figures.Refused)
	}
	return figures, nil
}

// await waits until all chats were seen, or nothing more comes for a while.
func (l *ledger) await(ctx context.Context, all int, quiet time.Duration) {
	for l.count() < all {
		select {
		case <-ctx.Done():
			return
		case <-l.change:
		case <-time.After(quiet):
			return
		}
	}
}

func (l *ledger) figures(o options) steadyFigures {
	l.mu.Lock()
	defer l.mu.Unlock()
	f := steadyFigures{
		Chats: o.Chats, Rate: o.Rate, Tenants: o.Tenants, Delivered: len(l.shown), Lost: o.Chats - len(l.shown),
		Refused: l.refused, Seen: quantilesOf(l.seen),
	}
	for _, times := range l.shown {
		if times > 1 {
			f.Doubled++
		}
	}
	return f
}

func sleepUntil(ctx context.Context, at time.Time) error {
	wait := time.Until(at)
	if wait <= 0 {
		return ctx.Err()
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(wait):
		return nil
	}
}

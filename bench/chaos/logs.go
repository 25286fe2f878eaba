package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"sidecard/bench/stack"
)

// logs are the programs' logs, read once each from where the last look ended.
type logs struct {
	offsets map[string]int64
}

// wrong says what the programs wrote since the last look that no log may hold: a secret, a visitor's address, a panic,
// a data race. It names the file and never the text.
func (l *logs) wrong(s *stack.Stack) ([]string, error) {
	var found []string
	for _, p := range s.Programs() {
		text, err := l.next(p.LogFile)
		if err != nil {
			return nil, err
		}
		for _, what := range unfit(text, s.Secrets()) {
			found = append(found, fmt.Sprintf("%s holds %s", filepath.Base(p.LogFile), what))
		}
	}
	text, err := l.next(s.Postgres.LogFile())
	if bytes.Contains(text, []byte("deadlock detected")) {
		found = append(found, "PostgreSQL had to break a deadlock")
	}
	return found, err
}

func (l *logs) next(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	if _, err := file.Seek(l.offsets[path], io.SeekStart); err != nil {
		return nil, err
	}
	text, err := io.ReadAll(file)
	l.offsets[path] += int64(len(text))
	return text, err
}

// unfit names what is in a log and must not be (P7).
func unfit(text []byte, secrets []string) []string {
	var found []string
	has := func(what string, needle string) {
		if needle != "" && bytes.Contains(text, []byte(needle)) {
			found = append(found, what)
		}
	}
	for _, secret := range secrets {
		has("a secret", secret)
	}
	has("a visitor's address", stack.AddressDomain)
	has("a panic", "panic")
	has("a data race", "DATA RACE")
	return found
}

var errNothingChosen = errors.New("no row was chosen")

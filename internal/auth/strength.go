package auth

import (
	_ "embed"
	"errors"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

const (
	minPasswordRunes = 12
	maxPasswordRunes = 128
	// minOwn and minDistinct are how many characters, and how many different
	// ones, must remain when all that is tried first by a guesser is left out.
	minOwn      = 7
	minDistinct = 5
	// minHint is the shortest part of a hint that counts.
	minHint = 3
)

// ErrWeakPassword is what every refusal of [CheckPassword] wraps. The text of
// such an error is a sentence to show to the person as it is; it never quotes
// the password.
var ErrWeakPassword = errors.New("password is too weak")

// weakPassword is a refusal and its sentence.
type weakPassword struct{ sentence string }

// Error implements error.
func (e *weakPassword) Error() string { return e.sentence }

// Unwrap makes errors.Is(err, [ErrWeakPassword]) true.
func (e *weakPassword) Unwrap() error { return ErrWeakPassword }

var (
	errTooShort   = &weakPassword{"Use at least 12 characters. A few words that you can remember work well."}
	errTooLong    = &weakPassword{"Use at most 128 characters."}
	errUnreadable = &weakPassword{"The password contains characters that can't be read. Please type it again."}
	errGuessable  = &weakPassword{"This password is easy to guess: it is mostly common words, rows of keys or repeats. Add a few words of your own."}
	errBreached   = &weakPassword{"Many people use this password, so it is guessed early. Add a few words of your own."}
	errHinted     = &weakPassword{"This password is easy to guess: it is mostly your company's name or e-mail address. Add a few words of your own."}
)

// commonWords is a short list of what people choose first, one word a line, in
// lower case.
//
//go:embed common.txt
var commonText string

var commonWords = strings.Fields(commonText)

// keyRows are the rows that people run along: the alphabet, digits, the rows and
// columns of usual keyboards, and their reverse.
var keyRows = withReverse(
	"abcdefghijklmnopqrstuvwxyz", "01234567890", "qwertyuiop", "asdfghjkl", "zxcvbnm", "qwertzuiop", "yxcvbnm",
	"azertyuiop", "qsdfghjklm", "wxcvbn", "1qaz2wsx3edc4rfv5tgb6yhn7ujm", "1q2w3e4r5t6z7u8i9o0p", "5t6y7u", "!@#$%^&*()", "!\"\u00a7$%&/()=",
)

// CheckPassword reports why password should not be chosen, or nil. It wants 12
// to 128 characters, at most 1024 bytes, and refuses one that is often seen in
// breaches or made of common words, rows of keys, repeats and the hints. Hints are what a guesser knows of
// the account, such as the company's name and the person's e-mail address.
// There are no rules of composition. The error wraps [ErrWeakPassword].
func CheckPassword(password string, hints ...string) error {
	if len(password) > maxPasswordBytes {
		return errTooLong
	}
	if !utf8.ValidString(password) {
		return errUnreadable
	}
	text := []rune(norm.NFKC.String(password))
	switch {
	case len(text) < minPasswordRunes:
		return errTooShort
	case len(text) > maxPasswordRunes:
		return errTooLong
	}
	lower := strings.ToLower(string(text))
	if isBreached(lower) {
		return errBreached
	}
	text = firstPeriod([]rune(lower))
	m := newMask(text)
	m.markRuns()
	m.markYears()
	for _, word := range commonWords {
		m.markWord(word)
	}
	if m.guessable() {
		return errGuessable
	}
	for _, hint := range hints {
		for _, part := range hintParts(hint) {
			m.markWord(part)
		}
	}
	if m.guessable() {
		return errHinted
	}
	return nil
}

// hintParts splits a name or an e-mail address into its words.
func hintParts(hint string) []string {
	parts := strings.FieldsFunc(strings.ToLower(norm.NFKC.String(hint)), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r)
	})
	return slices.DeleteFunc(parts, func(part string) bool { return utf8.RuneCountInString(part) < minHint })
}

// firstPeriod returns what a text repeats: "abcabcab" is "abc" again and again.
// A text that repeats nothing is returned whole.
func firstPeriod(text []rune) []rune {
	for n := 1; n <= len(text)/2; n++ {
		if slices.Equal(text[n:], text[:len(text)-n]) {
			return text[:n]
		}
	}
	return text
}

// mask marks the characters of a text that a guesser tries first.
type mask struct {
	text    []rune
	spelled [][]rune // the text, and with digits and signs read as letters
	marked  []bool
}

func newMask(text []rune) *mask {
	return &mask{
		text:    text,
		spelled: [][]rune{text, readAsLetters(text, 'i'), readAsLetters(text, 'l')},
		marked:  make([]bool, len(text)),
	}
}

// readAsLetters undoes spellings such as "p4$$w0rd"; a 1 may stand for two letters.
func readAsLetters(text []rune, one rune) []rune {
	letters := map[rune]rune{
		'0': 'o', '1': one, '3': 'e', '4': 'a', '5': 's', '7': 't', '8': 'b', '9': 'g', '@': 'a', '$': 's', '!': one, '|': 'l', '+': 't',
	}
	out := slices.Clone(text)
	for i, r := range out {
		if letter, ok := letters[r]; ok {
			out[i] = letter
		}
	}
	return out
}

func (m *mask) mark(from, to int) {
	for i := from; i < to; i++ {
		m.marked[i] = true
	}
}

func (m *mask) markWord(word string) {
	w := []rune(word)
	for _, text := range m.spelled {
		for i := 0; i+len(w) <= len(text); i++ {
			if slices.Equal(text[i:i+len(w)], w) {
				m.mark(i, i+len(w))
			}
		}
	}
}

// markRuns marks three or more of one character, three digits or four other
// characters in a row of the keyboard.
func (m *mask) markRuns() {
	for i := range m.text {
		if n := 3; i+n <= len(m.text) && (allSame(m.text[i:i+n]) || allDigits(m.text[i:i+n]) && inKeyRow(m.text[i:i+n])) {
			m.mark(i, i+n)
		}
		if n := 4; i+n <= len(m.text) && inKeyRow(m.text[i:i+n]) {
			m.mark(i, i+n)
		}
	}
}

func (m *mask) markYears() {
	for i := 0; i+4 <= len(m.text); i++ {
		four := m.text[i : i+4]
		if century := string(four[:2]); allDigits(four) && (century == "19" || century == "20") {
			m.mark(i, i+4)
		}
	}
}

// guessable reports whether too little remains unmarked. A letter that follows
// itself counts once.
func (m *mask) guessable() bool {
	own, distinct := 0, map[rune]bool{}
	for i, r := range m.text {
		if !m.marked[i] && (i == 0 || r != m.text[i-1]) {
			own++
			distinct[r] = true
		}
	}
	return own < minOwn || len(distinct) < minDistinct
}

func allSame(text []rune) bool {
	return !slices.ContainsFunc(text, func(r rune) bool { return r != text[0] })
}

func allDigits(text []rune) bool {
	return !slices.ContainsFunc(text, func(r rune) bool { return r < '0' || r > '9' })
}

func inKeyRow(text []rune) bool {
	return slices.ContainsFunc(keyRows, func(row string) bool { return strings.Contains(row, string(text)) })
}

func withReverse(rows ...string) []string {
	out := slices.Clone(rows)
	for _, row := range rows {
		r := []rune(row)
		slices.Reverse(r)
		out = append(out, string(r))
	}
	return out
}

package csv

import (
	"bytes"
	"errors"
	"io"
	"slices"
)

// The bounds of one record.
const (
	maxRecord  = 1 << 20  // bytes
	maxField   = 64 << 10 // bytes
	maxColumns = 1000
	maxLines   = 1000 // that a quoted value may span
	firstRead  = 64 << 10
)

// tokenizer cuts text into records: RFC 4180 with any of the three line ends, any delimiter, and quotation
// marks inside an unquoted value taken as they are. Blank lines are no records.
//
// A record that breaks a rule or a bound is reported with its line, and reading goes on at the line after
// the one on which it started: a quotation mark that never ends costs one row and not the rest of the file.
// Its memory is bounded by maxRecord, its time by a few passes over the text whatever it holds.
type tokenizer struct {
	src   io.Reader
	comma byte

	buf      []byte // what is read and not consumed, from start on
	start    int
	eof      bool
	line     int   // on which buf[start] is
	consumed int64 // bytes
	reread   int64 // bytes looked at again after a bad record
	passing  bool  // inside a record that was too long

	text []byte // the fields of the record, unquoted, one after the other
	ends []int  // where each field ends in text
}

func newTokenizer(src io.Reader, comma byte, line int) *tokenizer {
	return &tokenizer{src: src, comma: comma, line: line}
}

// record is one line's worth of data, or the code of what is wrong with it.
type record struct {
	line    int // on which it starts
	problem string
}

// next reads one record; its fields are in the tokenizer until the next call. The error is the reader's,
// io.EOF at the end.
func (t *tokenizer) next() (record, error) {
	for {
		if t.passing {
			if err := t.pass(); err != nil {
				return record{}, err
			}
		}
		data := t.buf[t.start:]
		if len(data) == 0 && t.eof {
			return record{}, io.EOF
		}
		end, outcome := t.scan(data)
		r := record{line: t.line, problem: outcome.problem}
		switch {
		case outcome.more && len(data) >= maxRecord && outcome.quoted, outcome.problem == "bad_quote":
			r.problem = "bad_quote"
			t.recoverFrom(end)
			return r, nil
		case outcome.more && len(data) >= maxRecord:
			r.problem, t.passing = "too_long", true
			return r, nil
		case outcome.more:
			if err := t.fill(); err != nil {
				return record{}, err
			}
			continue
		}
		t.consume(end)
		if !outcome.blank {
			return r, nil
		}
	}
}

// outcome is what a scan met.
type outcome struct {
	more    bool   // the record goes on beyond the data
	quoted  bool   // with more: inside a quoted value
	blank   bool   // an empty line
	problem string // of a record whose end was found; for "bad_quote" the end is where the rule was broken
}

// scan reads one record from the beginning of data.
func (t *tokenizer) scan(data []byte) (end int, o outcome) {
	t.text, t.ends = t.text[:0], t.ends[:0]
	problem := ""
	lines := 0
	for {
		before := len(t.text)
		if end < len(data) && data[end] == '"' {
			end, o = t.quoted(data, end+1, &lines)
			if o.more || o.problem != "" {
				return end, o
			}
		} else {
			end = t.plain(data, end)
		}
		if len(t.text)-before > maxField {
			problem = "too_long"
		}
		if t.ends = append(t.ends, len(t.text)); len(t.ends) > maxColumns {
			t.ends, t.text, problem = t.ends[:maxColumns], t.text[:before], "too_many_fields"
		}
		switch {
		case end == len(data):
			return end, outcome{more: !t.eof, problem: problem}
		case data[end] == t.comma:
			end++
		case data[end] == '\r' && end+1 == len(data) && !t.eof:
			return end, outcome{more: true} // its \n may follow
		default:
			return afterLine(data, end), outcome{blank: end == 0, problem: problem}
		}
	}
}

// plain copies an unquoted value.
func (t *tokenizer) plain(data []byte, at int) int {
	start := at
	for at < len(data) && data[at] != t.comma && data[at] != '\n' && data[at] != '\r' {
		at++
	}
	t.text = append(t.text, data[start:at]...)
	return at
}

// quoted copies a quoted value without its quotation marks. At is behind the first of them.
func (t *tokenizer) quoted(data []byte, at int, lines *int) (end int, o outcome) {
	for {
		length := bytes.IndexByte(data[at:], '"')
		chunk := data[at:]
		if length >= 0 {
			chunk = data[at : at+length]
		}
		t.text = append(t.text, chunk...)
		at += len(chunk)
		*lines += countLines(chunk)
		switch {
		case *lines > maxLines:
			return at, outcome{problem: "bad_quote"}
		case length < 0 && t.eof:
			return at, outcome{problem: "bad_quote"}
		case length < 0:
			return at, outcome{more: true, quoted: true}
		}
		at++
		switch {
		case at == len(data):
			return at, outcome{more: !t.eof, quoted: true}
		case data[at] == '"':
			t.text = append(t.text, '"')
			at++
		case data[at] == t.comma || data[at] == '\n' || data[at] == '\r':
			return at, outcome{}
		default:
			return at, outcome{problem: "bad_quote"}
		}
	}
}

// recoverFrom goes on at the line after the one on which the bad record starts, or, when that would mean
// reading the same text again and again, at the line after the scanned part.
func (t *tokenizer) recoverFrom(scanned int) {
	data := t.buf[t.start:]
	if next := afterLine(data, lineEnd(data, 0)); next < scanned {
		again := int64(scanned - next)
		if t.reread+again <= t.consumed+maxRecord {
			t.reread += again
			t.consume(next)
			return
		}
	}
	t.consume(scanned)
	t.passing = true
}

// pass drops the rest of a line.
func (t *tokenizer) pass() error {
	for {
		data := t.buf[t.start:]
		end := lineEnd(data, 0)
		if end+1 < len(data) || end < len(data) && data[end] == '\n' || t.eof {
			t.passing = false
			t.consume(afterLine(data, end))
			return nil
		}
		t.consume(end)
		if err := t.fill(); err != nil {
			return err
		}
	}
}

func (t *tokenizer) consume(n int) {
	t.line += countLines(t.buf[t.start : t.start+n])
	t.start += n
	t.consumed += int64(n)
}

// fill reads until the buffer is full or the text ends. The buffer doubles up to maxRecord while a record
// does not fit.
func (t *tokenizer) fill() error {
	t.buf = slices.Delete(t.buf, 0, t.start)
	t.start = 0
	size := firstRead
	for size <= len(t.buf) {
		size *= 2
	}
	have := len(t.buf)
	t.buf = slices.Grow(t.buf, size-have)[:size]
	n, err := io.ReadFull(t.src, t.buf[have:])
	t.buf = t.buf[:have+n]
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		t.eof, err = true, nil
	}
	return err
}

// lineEnd finds the next line end, or the end of the data.
func lineEnd(data []byte, at int) int {
	if i := bytes.IndexAny(data[at:], "\r\n"); i >= 0 {
		return at + i
	}
	return len(data)
}

// afterLine steps over the line end at this place: \r\n, \n or \r.
func afterLine(data []byte, at int) int {
	switch {
	case at == len(data):
		return at
	case data[at] == '\r' && at+1 < len(data) && data[at+1] == '\n':
		return at + 2
	default:
		return at + 1
	}
}

// countLines counts line ends, \r\n as one.
func countLines(data []byte) int {
	n := bytes.Count(data, []byte{'\n'})
	for {
		i := bytes.IndexByte(data, '\r')
		if i < 0 {
			return n
		}
		if data = data[i+1:]; len(data) == 0 || data[0] != '\n' {
			n++
		}
	}
}

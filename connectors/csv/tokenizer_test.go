package csv

import (
	"bytes"
	stdcsv "encoding/csv"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"
)

// row is one record as tests write it: its line, and either cells or a problem.
type row struct {
	line    int
	cells   []string
	problem string
}

func readAll(tb testing.TB, src io.Reader, comma byte) []row {
	tb.Helper()
	t := newTokenizer(src, comma, 1)
	var rows []row
	for {
		r, err := t.next()
		if errors.Is(err, io.EOF) {
			return rows
		}
		if err != nil {
			tb.Fatal(err)
		}
		got := row{line: r.line, problem: r.problem}
		if r.problem == "" {
			got.cells, _ = t.fields(nil)
		}
		rows = append(rows, got)
	}
}

func good(line int, cells ...string) row { return row{line: line, cells: cells} }

func TestTokenizerReadsRecords(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		text string
		want []row
	}{
		"nothing":              {"", nil},
		"blank lines":          {"\n\r\n\r", nil},
		"plain":                {"a,b\nc,d\n", []row{good(1, "a", "b"), good(2, "c", "d")}},
		"no last line end":     {"a,b\nc,d", []row{good(1, "a", "b"), good(2, "c", "d")}},
		"CRLF":                 {"a,b\r\nc,d\r\n", []row{good(1, "a", "b"), good(2, "c", "d")}},
		"CR":                   {"a,b\rc,d\r", []row{good(1, "a", "b"), good(2, "c", "d")}},
		"mixed line ends":      {"a\r\rb\n\nc\r\n\r\nd", []row{good(1, "a"), good(3, "b"), good(5, "c"), good(7, "d")}},
		"empty values":         {",,\n,", []row{good(1, "", "", ""), good(2, "", "")}},
		"quoted":               {`"a","b"` + "\n" + `"",""`, []row{good(1, "a", "b"), good(2, "", "")}},
		"quoted nothing":       {`""`, []row{good(1, "")}},
		"quotes inside":        {`"a ""b"" c",""""`, []row{good(1, `a "b" c`, `"`)}},
		"delimiter inside":     {`"a,b",c`, []row{good(1, "a,b", "c")}},
		"line ends inside":     {"\"a\nb\r\nc\rd\",e\nf", []row{good(1, "a\nb\r\nc\rd", "e"), good(5, "f")}},
		"quotes in plain":      {`5" pipe,a"b"` + "\n", []row{good(1, `5" pipe`, `a"b"`)}},
		"space before quote":   {`a, "b"`, []row{good(1, "a", ` "b"`)}},
		"unicode":              {"ä,€\n", []row{good(1, "ä", "€")}},
		"after the quote":      {"\"a\"b,c\nd,e", []row{{line: 1, problem: "bad_quote"}, good(2, "d", "e")}},
		"never closed":         {"a,\"b\nc,d\ne,f", []row{{line: 1, problem: "bad_quote"}, good(2, "c", "d"), good(3, "e", "f")}},
		"closed by the next":   {"a,\"b\n\"c\",d\n", []row{{line: 1, problem: "bad_quote"}, good(2, "c", "d")}},
		"never closed at last": {"a\n\"", []row{good(1, "a"), {line: 2, problem: "bad_quote"}}},
	} {
		readers := map[string]io.Reader{
			"whole":        strings.NewReader(c.text),
			"byte by byte": iotest.OneByteReader(strings.NewReader(c.text)),
			"data and end": iotest.DataErrReader(strings.NewReader(c.text)),
		}
		for how, src := range readers {
			if got := readAll(t, src, ','); !reflect.DeepEqual(got, c.want) {
				t.Errorf("%s, %s:\n got %+v\nwant %+v", name, how, got, c.want)
			}
		}
	}
}

func TestTokenizerBounds(t *testing.T) {
	t.Parallel()
	long := func(n int) string { return strings.Repeat("x", n) }
	manyLines := strings.Repeat("y\n", maxLines)
	for name, c := range map[string]struct {
		text string
		want []row
	}{
		"longest field":     {long(maxField) + ",a\nb", []row{good(1, long(maxField), "a"), good(2, "b")}},
		"field too long":    {long(maxField+1) + ",a\nb", []row{{line: 1, problem: "too_long"}, good(2, "b")}},
		"and a quoted one":  {`"` + long(maxField+1) + `","a"` + "\nb", []row{{line: 1, problem: "too_long"}, good(2, "b")}},
		"record too long":   {strings.Repeat(long(maxField)+",", 17) + "\nb", []row{{line: 1, problem: "too_long"}, good(2, "b")}},
		"line without end":  {long(3 * maxRecord), []row{{line: 1, problem: "too_long"}}},
		"and one after":     {long(3*maxRecord) + "\r\na\r\n", []row{{line: 1, problem: "too_long"}, good(2, "a")}},
		"most columns":      {strings.Repeat(",", maxColumns-1), []row{good(1, make([]string, maxColumns)...)}},
		"too many columns":  {strings.Repeat("a,", 50*maxColumns) + "\nb", []row{{line: 1, problem: "too_many_fields"}, good(2, "b")}},
		"most lines":        {`"` + manyLines + `"`, []row{good(1, manyLines)}},
		"too many lines":    {"\"z\n" + strings.Repeat("\n", maxLines) + "\nb", []row{{line: 1, problem: "bad_quote"}, good(maxLines+3, "b")}},
		"quote without end": {"\"" + long(maxRecord) + "\nb", []row{{line: 1, problem: "bad_quote"}, good(2, "b")}},
		"quote and records": {"\"a\n" + strings.Repeat(long(999)+"\n", 1100), append([]row{{line: 1, problem: "bad_quote"}}, numbered(2, 1100, long(999))...)},
	} {
		if got := readAll(t, strings.NewReader(c.text), ','); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %d rows, want %d; the first are %.200s", name, len(got), len(c.want), fmt.Sprintf("%+v", got))
		}
	}
}

func numbered(line, n int, cell string) []row {
	rows := make([]row, n)
	for i := range rows {
		rows[i] = good(line+i, cell)
	}
	return rows
}

// TestTokenizerTimeIsLinear gives it text that is made to be read again after every bad record.
func TestTokenizerTimeIsLinear(t *testing.T) {
	t.Parallel()
	for name, line := range map[string]string{
		"closed by the next": "\"a\n",
		"doubled quotes":     "\"\"\"x\n",
		"open at the end":    "a,\"\n",
		"open and closed":    "\",\"\n",
	} {
		text := strings.Repeat(line, (2<<20)/len(line))
		counted := &countingReader{Reader: strings.NewReader(text)}
		tok := newTokenizer(counted, ',', 1)
		records := 0
		for {
			if _, err := tok.next(); err != nil {
				break
			}
			records++
		}
		if tok.reread > int64(len(text))+maxRecord {
			t.Errorf("%s: %d bytes were read again of %d", name, tok.reread, len(text))
		}
		if counted.n != len(text) || tok.consumed != int64(len(text)) || records == 0 {
			t.Errorf("%s: %d of %d bytes read, %d consumed, %d records", name, counted.n, len(text), tok.consumed, records)
		}
		if cap(tok.buf) > 2*maxRecord || cap(tok.text) > 2*maxRecord {
			t.Errorf("%s: the buffers have grown to %d and %d bytes", name, cap(tok.buf), cap(tok.text))
		}
	}
}

type countingReader struct {
	io.Reader
	n int
}

func (c *countingReader) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.n += n
	return n, err
}

func TestTokenizerPassesReadErrorsOn(t *testing.T) {
	t.Parallel()
	boom := errors.New("boom")
	tok := newTokenizer(io.MultiReader(strings.NewReader("a\nb\n\"c"), iotest.ErrReader(boom)), ',', 1)
	var err error
	for err == nil {
		_, err = tok.next()
	}
	if !errors.Is(err, boom) {
		t.Errorf("got %v", err)
	}
}

// FuzzTokenizer compares with encoding/csv where both agree by definition: no carriage return (line ends and
// quoted ones are treated differently), and up to the first record that encoding/csv refuses.
func FuzzTokenizer(f *testing.F) {
	for _, seed := range []string{
		"a,b\nc,d\n", "\"a\"\"b\",c\n\n,\n", "\"a\nb\",\"\"\n", "x", ",", "\"", "a\"b,c\n", "\"a\"b\nc\n", "\n\n", "ä,\"ö\nü\"",
	} {
		f.Add([]byte(seed), byte(0))
	}
	f.Fuzz(func(t *testing.T, text []byte, which byte) {
		comma := delimiters[int(which)%len(delimiters)]
		text = bytes.ReplaceAll(text, []byte{'\r'}, nil)
		if bytes.Count(text, []byte{comma}) >= maxColumns || len(text) > maxField || bytes.Count(text, []byte{'\n'}) > maxLines {
			return // beyond bounds that encoding/csv does not have
		}
		got := readAll(t, bytes.NewReader(text), comma)
		if slow := readAll(t, iotest.OneByteReader(bytes.NewReader(text)), comma); !reflect.DeepEqual(slow, got) {
			t.Fatalf("byte by byte %+v, whole %+v", slow, got)
		}
		oracle := stdcsv.NewReader(bytes.NewReader(text))
		oracle.Comma = rune(comma)
		oracle.FieldsPerRecord = -1
		for i := 0; ; i++ {
			want, err := oracle.Read()
			if errors.Is(err, io.EOF) {
				if i != len(got) {
					t.Fatalf("%d records, want %d", len(got), i)
				}
				return
			}
			if err != nil {
				return
			}
			line, _ := oracle.FieldPos(0)
			if i >= len(got) || got[i].line != line || got[i].problem != "" || len(got[i].cells) != len(want) {
				t.Fatalf("record %d is %+v, want line %d, %q", i, got[min(i, len(got)-1):], line, want)
			}
			for j, cell := range want {
				// What is not UTF-8 is read as Windows-1252.
				if wanted, _ := decode([]byte(cell)); got[i].cells[j] != wanted {
					t.Fatalf("record %d, cell %d is %q, want %q", i, j, got[i].cells[j], wanted)
				}
			}
		}
	})
}

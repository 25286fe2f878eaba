package csv

import (
	"bytes"
	"errors"
	"io"
	"math"
	"regexp"
	"strings"
)

// delimiters are tried in this order; the first of equals is taken.
const delimiters = ",;\t|"

const sampleRecords = 1000

// pattern is what numbers, dates and links look like; prose that was cut in the wrong places does not.
var pattern = regexp.MustCompile(`^(` +
	`[+-]?[0-9][0-9.,' ]*%?|` +
	`[0-9]{1,4}[-/.][0-9]{1,2}[-/.][0-9]{1,4}([T ][0-9:.]+.*)?|` +
	`https?://\S+|(?i:true|false|yes|no))$`)

// layout is how the text of a file is cut.
type layout struct {
	comma   byte
	skip    int        // bytes before the header: a line such as "sep=;"
	line    int        // of the header
	records [][]string // the first ones, header included, as far as the sample goes
}

// layOut tells the layout by the beginning of the text. Whole says that there is no more.
func layOut(sample []byte, whole bool) layout {
	l := layout{comma: ',', line: 1}
	if comma, skip, ok := declared(sample); ok {
		l.comma, l.skip, l.line = comma, skip, 2
		l.records, _ = readSample(sample[skip:], comma, whole)
		return l
	}
	best := -1.0
	for _, comma := range []byte(delimiters) {
		records, bad := readSample(sample, comma, whole)
		if s := score(records, bad); s > best {
			l.comma, l.records, best = comma, records, s
		}
	}
	return l
}

// declared reads Excel's first line "sep=;".
func declared(sample []byte) (comma byte, skip int, ok bool) {
	end := lineEnd(sample, 0)
	line := bytes.Trim(sample[:end], `" `)
	if len(line) != len("sep=;") || !bytes.EqualFold(line[:4], []byte("sep=")) || strings.IndexByte(delimiters, line[4]) < 0 {
		return 0, 0, false
	}
	return line[4], afterLine(sample, end), true
}

// readSample cuts the sample; the last record counts only if it is whole.
func readSample(sample []byte, comma byte, whole bool) (records [][]string, bad int) {
	t := newTokenizer(bytes.NewReader(sample), comma, 1)
	for len(records)+bad < sampleRecords {
		r, err := t.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if !whole && t.start == len(t.buf) && t.eof {
			break // cut off by the end of the sample
		}
		if r.problem != "" {
			bad++
			continue
		}
		cells, _ := t.fields(nil)
		records = append(records, cells)
	}
	return records, bad
}

// score rates a delimiter: rows of one width, the header's, many columns, and cells that are something.
// One column rates 0, so that a file of addresses alone is read with any delimiter.
func score(records [][]string, bad int) float64 {
	if len(records) == 0 {
		return 0
	}
	widths := make(map[int]int)
	typed, filled := 0, 0
	for _, cells := range records {
		widths[len(cells)]++
		for _, cell := range cells {
			if cell = strings.TrimSpace(cell); cell == "" {
				continue
			}
			filled++
			if pattern.MatchString(cell) || isAddress(cell) {
				typed++
			}
		}
	}
	modal := 0
	for width, n := range widths {
		if n > widths[modal] || n == widths[modal] && width > modal {
			modal = width
		}
	}
	same := float64(widths[modal]) / float64(len(records)+bad)
	if len(records[0]) != modal {
		same /= 4
	}
	return same * math.Log2(float64(modal)) * (0.1 + float64(typed)/float64(max(filled, 1)))
}

package csv

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
)

const (
	sniffSize  = 64 << 10  // of the file, to tell what it is
	sampleSize = 256 << 10 // of its text, to tell how it is laid out
)

// The names of encodings in a report.
const (
	utf8Name    = "UTF-8"
	utf16Name   = "UTF-16"
	windowsName = "Windows-1252"
)

// signatures are the beginnings of files that people take for CSV.
var signatures = []struct{ begins, what string }{
	{"PK\x03\x04", "an Excel workbook or another zip archive"},
	{"\xd0\xcf\x11\xe0", "an old Excel workbook"},
	{"%PDF-", "a PDF"},
	{"\x1f\x8b", "a compressed file"},
	{"BZh", "a compressed file"},
	{"7z\xbc\xaf", "a compressed file"},
	{"\xfd7zXZ", "a compressed file"},
	{"\x89PNG", "a picture"},
	{"\xff\xd8\xff", "a picture"},
	{"GIF8", "a picture"},
	{"SQLite format 3", "a database"},
	{"{\\rtf", "a text document with formatting"},
}

// openText tells the encoding by the beginning of the file and gives its text, where bytes that are not
// UTF-8 are still as they came: see decode. It refuses what is not text.
func openText(file io.Reader) (text *bufio.Reader, encoding string, err error) {
	raw := bufio.NewReaderSize(file, sniffSize)
	head, err := raw.Peek(sniffSize)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, "", readError(err)
	}
	if err := refuseKnown(head); err != nil {
		return nil, "", err
	}
	var marked bool
	order := unicode.LittleEndian
	switch {
	case bytes.HasPrefix(head, []byte{0xff, 0xfe, 0, 0}), bytes.HasPrefix(head, []byte{0, 0, 0xfe, 0xff}):
		return nil, "", misconfigured("csv.encoding", 1, "The file is UTF-32 text, which Sidecard does not read.",
			"Save it as “CSV UTF-8” and upload it again.")
	case bytes.HasPrefix(head, []byte{0xff, 0xfe}):
		marked = true
	case bytes.HasPrefix(head, []byte{0xfe, 0xff}):
		marked, order = true, unicode.BigEndian
	case bytes.HasPrefix(head, []byte{0xef, 0xbb, 0xbf}):
		_, _ = raw.Discard(3) // they are in the buffer
		return bufio.NewReaderSize(raw, sampleSize), utf8Name, refuseBinary(head[3:])
	case looksUTF16(head, 1):
	case looksUTF16(head, 0):
		order = unicode.BigEndian
	default:
		return bufio.NewReaderSize(raw, sampleSize), utf8Name, refuseBinary(head)
	}
	if marked {
		_, _ = raw.Discard(2) // they are in the buffer
	}
	decoded := unicode.UTF16(order, unicode.IgnoreBOM).NewDecoder().Reader(raw)
	return bufio.NewReaderSize(decoded, sampleSize), utf16Name, nil
}

// looksUTF16 recognises UTF-16 without a mark by the zero bytes of Latin letters, digits and delimiters:
// many where the high byte is, which begins at this offset, and hardly any elsewhere.
func looksUTF16(head []byte, high int) bool {
	if len(head) < 4 {
		return false
	}
	var zeros [2]int
	for i, b := range head {
		if b == 0 {
			zeros[i%2]++
		}
	}
	return zeros[high]*5 > len(head) && zeros[1-high]*50 < len(head)
}

// refuseKnown refuses the types of file that can be told by their beginning.
func refuseKnown(head []byte) error {
	for _, s := range signatures {
		if bytes.HasPrefix(head, []byte(s.begins)) {
			return misconfigured("csv.binary", 1, "The file is "+s.what+", not a CSV file.",
				"Open it in the program it comes from, save it as CSV, and upload that file.")
		}
	}
	return nil
}

// refuseBinary refuses what has more control characters than a slip explains.
func refuseBinary(head []byte) error {
	controls, first := 0, -1
	for i, b := range head {
		if b < ' ' && !strings.ContainsRune("\t\n\v\f\r\x1a", rune(b)) {
			if controls++; first < 0 {
				first = i
			}
		}
	}
	if controls > 4 && controls*50 > len(head) {
		line := 1 + countLines(head[:first])
		return misconfigured("csv.binary", line, "The file is not text: byte "+number(first+1)+", on line "+number(line)+", is not a character.",
			"Upload the file as your program exports it as CSV, not compressed or encrypted.")
	}
	return nil
}

// decode gives the text of a cell. Files are often made of parts with different encodings, so each cell is
// read by itself: as UTF-8 if it is that, else as Windows-1252, in which every byte is a character.
func decode(cell []byte) (text string, windows bool) {
	if utf8.Valid(cell) {
		return string(cell), false
	}
	decoded, err := charmap.Windows1252.NewDecoder().Bytes(cell)
	if err != nil {
		return strings.ToValidUTF8(string(cell), "�"), true
	}
	return string(decoded), true
}

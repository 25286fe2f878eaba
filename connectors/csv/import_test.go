package csv_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"

	"sidecard/connectors"
	"sidecard/connectors/address"
	"sidecard/connectors/csv"
)

func importFile(t *testing.T, file io.Reader, o connectors.ImportOptions) (*table, connectors.ImportReport, error) {
	t.Helper()
	rows := &table{}
	report, err := csv.New().(connectors.Importer).Import(t.Context(), file, o, sink{rows})
	return rows, report, err
}

func mustImport(t *testing.T, file string, o connectors.ImportOptions) (*table, connectors.ImportReport) {
	t.Helper()
	rows, report, err := importFile(t, strings.NewReader(file), o)
	if err != nil {
		t.Fatalf("import of %.200q: %v", file, err)
	}
	return rows, report
}

// TestImportReadsWhatProgramsExport writes one table in every encoding, delimiter and line end.
func TestImportReadsWhatProgramsExport(t *testing.T) {
	t.Parallel()
	cells := [][]string{
		{"Name", "E-Mail", "Umsatz", "Notiz"},
		{"Jürgen Öst", "jürgen@bücher.example", "1.234,50", "sagt „hallo“"},
		{"Ana, Lima; Co|x\ty", "ana@visitor.example", "3,10", "mag \"gute\" Küche"},
		{"Zoë", "zoe@visitor.example", "12", ""},
	}
	encodings := map[string]func(string) string{
		"UTF-8":               func(s string) string { return s },
		"UTF-8 with BOM":      func(s string) string { return "\ufeff" + s },
		"UTF-16LE with BOM":   encoder(t, unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewEncoder().String),
		"UTF-16BE with BOM":   encoder(t, unicode.UTF16(unicode.BigEndian, unicode.UseBOM).NewEncoder().String),
		"UTF-16LE":            encoder(t, unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM).NewEncoder().String),
		"UTF-16BE":            encoder(t, unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM).NewEncoder().String),
		"Windows-1252":        encoder(t, charmap.Windows1252.NewEncoder().String),
		"UTF-8 after Windows": encoder(t, mixed),
	}
	for name, encode := range encodings {
		for _, comma := range []string{",", ";", "\t", "|"} {
			for _, lineEnd := range []string{"\n", "\r\n", "\r"} {
				for _, declared := range []bool{false, true} {
					text := quoted(cells, comma, lineEnd)
					if declared {
						text = "sep=" + comma + lineEnd + text
					}
					rows, report, err := importFile(t, strings.NewReader(encode(text)), connectors.ImportOptions{})
					if err != nil {
						t.Errorf("%s, %q, %q, declared %v: %v", name, comma, lineEnd, declared, err)
						continue
					}
					if report.Delimiter != comma || report.Rows != 3 || report.Rejected != 0 || rows.email != "E-Mail" {
						t.Errorf("%s, %q, %q, declared %v: %+v", name, comma, lineEnd, declared, report)
					}
					if !reflect.DeepEqual(rows.columns, cells[0]) || !reflect.DeepEqual(values(rows), cells[1:]) {
						t.Errorf("%s, %q, %q, declared %v: read %q", name, comma, lineEnd, declared, values(rows))
					}
					if want := strings.Fields(strings.TrimSuffix(name, "LE"))[0]; !strings.HasPrefix(want, report.Encoding) && name != "UTF-8 after Windows" {
						t.Errorf("%s was read as %s", name, report.Encoding)
					}
				}
			}
		}
	}
}

func encoder(t *testing.T, encode func(string) (string, error)) func(string) string {
	t.Helper()
	return func(s string) string {
		t.Helper()
		encoded, err := encode(s)
		if err != nil {
			t.Fatal(err)
		}
		return encoded
	}
}

// mixed is what comes of putting two exports together: the first half Windows-1252, the rest UTF-8.
func mixed(s string) (string, error) {
	half := strings.LastIndexAny(strings.TrimRight(s, "\r\n"), "\r\n")
	first, err := charmap.Windows1252.NewEncoder().String(s[:half])
	return first + s[half:], err
}

func quoted(cells [][]string, comma, lineEnd string) string {
	var b strings.Builder
	for _, row := range cells {
		for i, cell := range row {
			if i > 0 {
				b.WriteString(comma)
			}
			if strings.ContainsAny(cell, comma+`"`) {
				cell = `"` + strings.ReplaceAll(cell, `"`, `""`) + `"`
			}
			b.WriteString(cell)
		}
		b.WriteString(lineEnd)
	}
	return b.String()
}

func values(rows *table) [][]string {
	var all [][]string
	for _, r := range rows.rows {
		var cells []string
		for _, name := range rows.columns {
			cells = append(cells, r.values[name])
		}
		all = append(all, cells)
	}
	return all
}

func TestImportNamesColumns(t *testing.T) {
	t.Parallel()
	rows, _ := mustImport(t, " email ,Name,,name,Name,Name_2,\"Last\n order\",Stra\u0308ße,"+strings.Repeat("x", 300)+
		"\na@x.example,1,2,3,4,5,6,7,8\n", connectors.ImportOptions{})
	want := []string{"email", "Name", "column_3", "name", "Name_3", "Name_2", "Last order", "Sträße", strings.Repeat("x", 200)}
	if !reflect.DeepEqual(rows.columns, want) {
		t.Errorf("columns are %q, want %q", rows.columns, want)
	}
}

func TestImportFindsTheAddressColumn(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ file, choice, want string }{
		{"name,email\nAna,ana@x.example\n", "", "email"},
		{"E-Mail-Adresse;Name\nana@x.example;Ana\n", "", "E-Mail-Adresse"},
		{"Nombre,Correo electrónico\nAna,ana@x.example\n", "", "Correo electrónico"},
		{"名前,メールアドレス\nAna,ana@x.example\n", "", "メールアドレス"},
		{"имя,Электронная почта\nAna,ana@x.example\n", "", "Электронная почта"},
		{"email opt in,contact\nyes,ana@x.example\nno,ben@x.example\n", "", "contact"},
		{"email,owner mail 1\n-,ana@x.example\n-,ben@x.example\n", "", "owner mail 1"},
		{"id,E-mail 1 - Value,note\n1,ana@x.example,x\n2,,y\n", "", "E-mail 1 - Value"},
		{"id,login\n1,ana@x.example\n2,ben@x.example\n3,cleo@x.example\n4,dora@x.example\n5,none\n", "", "login"},
		{"billing,email\na@x.example,ana@x.example\n", "", "email"},
		{"billing,email\na@x.example,ana@x.example\n", "billing", "billing"},
		{"billing,email\na@x.example,ana@x.example\n", " Billing ", "billing"},
		{"email\nana@x.example\n", "", "email"},
	} {
		rows, _ := mustImport(t, c.file, connectors.ImportOptions{EmailColumn: c.choice})
		if rows.email != c.want {
			t.Errorf("%q, chosen %q: found %q, want %q", c.file, c.choice, rows.email, c.want)
		}
	}
}

// TestImportRefusesFiles holds the sentence and the line for each way in which a whole file is unusable.
func TestImportRefusesFiles(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		file, choice, code string
		line               int
		says               []string
	}{
		"nothing":           {"", "", "csv.empty", 1, []string{"empty", "first line"}},
		"blank lines":       {"\ufeff\r\n\n\n", "", "csv.empty", 1, nil},
		"only sep":          {"sep=;\n", "", "csv.empty", 1, nil},
		"only a header":     {"email,name\n", "", "csv.no_rows", 1, []string{"no rows"}},
		"header, no end":    {"\n\nemail,name", "", "csv.no_rows", 3, nil},
		"header and blanks": {"email;name\n;\n \n;;\n", "", "csv.no_rows", 1, nil},
		"no address column": {"name,plan\nAna,pro\n", "", "csv.no_email_column", 1, []string{"“name”, “plan”", "email"}},
		"not the chosen":    {"email,plan\na@x.example,pro\n", "mail", "csv.no_email_column", 1, []string{"“mail”", "“email”"}},
		"after sep":         {"sep=;\nname;plan\nAna;pro\n", "", "csv.no_email_column", 2, nil},
		"too few addresses": {"id,login\n1,ana@x.example\n2,ben\n", "", "csv.no_email_column", 1, nil},
		"no header":         {"ana@x.example,pro\nben@x.example,free\n", "", "csv.no_header", 1, []string{"first line"}},
		"no good row":       {"email,name\nana,Ana\n,Ben\n", "", "csv.no_good_rows", 2, []string{"Line 2", "“email”"}},
		"broken header":     {"\n\"email\"x,name\na@x.example,b\n", "", "csv.header", 2, []string{"quotation mark"}},
		"too many columns":  {strings.Repeat("a,", 1000) + "email\n", "", "csv.too_many_columns", 1, []string{"1,000"}},
		"workbook":          {"PK\x03\x04\x14\x00\x06\x00", "", "csv.binary", 1, []string{"Excel"}},
		"old workbook":      {"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "", "csv.binary", 1, []string{"Excel"}},
		"PDF":               {"%PDF-1.7\n", "", "csv.binary", 1, []string{"PDF"}},
		"compressed":        {"\x1f\x8b\x08\x00\x00\x00", "", "csv.binary", 1, []string{"compressed"}},
		"noise":             {"a,b\nc\x01\x02\x03\x04\x05\x06\x07\xfe", "", "csv.binary", 2, []string{"byte 6", "line 2"}},
		"UTF-32":            {"\xff\xfe\x00\x00e\x00\x00\x00", "", "csv.encoding", 1, []string{"UTF-8"}},
	} {
		rows, report, err := importFile(t, strings.NewReader(c.file), connectors.ImportOptions{EmailColumn: c.choice})
		var e *connectors.Error
		if !errors.As(err, &e) {
			t.Errorf("%s: %v, %+v", name, err, report)
			continue
		}
		if e.Class != connectors.Misconfigured || e.Code != c.code || e.Line != c.line || e.Fix == "" || len(rows.rows) > 0 {
			t.Errorf("%s: %+v on line %d, want %s on line %d", name, e, e.Line, c.code, c.line)
		}
		for _, words := range c.says {
			if !strings.Contains(e.Message+" "+e.Fix, words) {
				t.Errorf("%s: %q does not say %q", name, e.Message+" "+e.Fix, words)
			}
		}
	}
}

func TestImportRejectsRowsWithLineAndReason(t *testing.T) {
	t.Parallel()
	file := "email,name\r\n" +
		"ana@x.example,Ana\r\n" + // 2
		",nobody\r\n" + // 3
		"not an address,x\r\n" + // 4
		"ben@x.example,Ben,,\r\n" + // 5: padding
		"cleo@x.example,Cleo,more\r\n" + // 6
		"\r\n" + // 7
		"dora@x.example,\"two\r\nlines\"\r\n" + // 8, 9
		"eve@x.example,n\x00l\r\n" + // 10
		"\"fay@x.example\"y,Fay\r\n" + // 11
		"gil@x.example," + strings.Repeat("x", 70<<10) + "\r\n" + // 12
		"hal@x.example\r\n" + // 13: short
		"mailto:Ana@X.Example,Ana again\r\n" // 14
	rows, report := mustImport(t, file, connectors.ImportOptions{})
	want := []connectors.Reject{
		{Line: 3, Code: "no_email"},
		{Line: 4, Code: "bad_email"},
		{Line: 6, Code: "too_many_fields"},
		{Line: 10, Code: "nul_byte"},
		{Line: 11, Code: "bad_quote"},
		{Line: 12, Code: "too_long"},
	}
	if len(report.Rejects) != len(want) {
		t.Fatalf("rejects are %+v", report.Rejects)
	}
	for i, r := range report.Rejects {
		if r.Line != want[i].Line || r.Code != want[i].Code || r.Reason == "" {
			t.Errorf("reject %d is %+v, want %+v", i, r, want[i])
		}
		for _, v := range []string{"Cleo", "fay", "not an address", "nobody"} {
			if strings.Contains(r.Reason, v) {
				t.Errorf("reject %d tells a value of the row: %q", i, r.Reason)
			}
		}
	}
	if report.Rows != 5 || report.Repeated != 1 || report.Rejected != len(want) {
		t.Errorf("report is %+v", report)
	}
	lines := map[int]string{2: "ana@x.example", 5: "ben@x.example", 8: "dora@x.example", 13: "hal@x.example", 14: "ana@x.example"}
	for _, r := range rows.rows {
		if lines[r.line] != r.email {
			t.Errorf("line %d holds %q, want %q", r.line, r.email, lines[r.line])
		}
	}
	if v, ok := rows.rows[3].values["name"]; ok {
		t.Errorf("the missing value of a short row is %q", v)
	}
}

func TestImportKeepsTheFirstHundredRejects(t *testing.T) {
	t.Parallel()
	_, report := mustImport(t, "email\nana@x.example\n"+strings.Repeat("x\n", 250), connectors.ImportOptions{})
	if report.Rejected != 250 || len(report.Rejects) != 100 || report.Rejects[99].Line != 102 {
		t.Errorf("%d rejected, %d kept", report.Rejected, len(report.Rejects))
	}
}

func TestImportReadsACellAcrossEncodingsByItself(t *testing.T) {
	t.Parallel()
	// The byte at the end of one cell and the one at the beginning of the next would make a character.
	rows, report := mustImport(t, "email,a,b\nana@x.example,\xc3,\xa9\n", connectors.ImportOptions{})
	if got := rows.rows[0].values; got["a"] != "Ã" || got["b"] != "©" || report.Encoding != "Windows-1252" {
		t.Errorf("read %q as %s", got, report.Encoding)
	}
}

type failingSink struct {
	sink
	columns, row error
}

func (s failingSink) Columns(names []string, email string) error {
	return errors.Join(s.sink.Columns(names, email), s.columns)
}
func (s failingSink) Row(int, string, []string) error { return s.row }

func TestImportStopsWithTheHost(t *testing.T) {
	t.Parallel()
	const file = "email\nana@x.example\n"
	importer := csv.New().(connectors.Importer)
	gone := errors.New("disk full")
	own := &connectors.Error{Class: connectors.RateLimited, Code: "quota", Message: "Too many rows."}
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	for name, c := range map[string]struct {
		ctx  context.Context
		file io.Reader
		sink connectors.RowSink
		want connectors.Class
	}{
		"columns refused":   {t.Context(), strings.NewReader(file), failingSink{sink: sink{&table{}}, columns: gone}, connectors.Transient},
		"row refused":       {t.Context(), strings.NewReader(file), failingSink{sink: sink{&table{}}, row: gone}, connectors.Transient},
		"the host's reason": {t.Context(), strings.NewReader(file), failingSink{sink: sink{&table{}}, row: own}, connectors.RateLimited},
		"cancelled":         {canceled, strings.NewReader(file), sink{&table{}}, connectors.Canceled},
		"upload broke off":  {t.Context(), io.MultiReader(strings.NewReader(file), iotest.ErrReader(gone)), sink{&table{}}, connectors.Transient},
		"and long after":    {t.Context(), io.MultiReader(strings.NewReader(file+strings.Repeat("ben@x.example\n", 1<<16)), iotest.ErrReader(gone)), sink{&table{}}, connectors.Transient},
	} {
		_, err := importer.Import(c.ctx, c.file, connectors.ImportOptions{}, c.sink)
		var e *connectors.Error
		if !errors.As(err, &e) || e.Class != c.want {
			t.Errorf("%s: %v, want class %s", name, err, c.want)
		}
	}
}

// endless is a file of so many bytes, made of repetitions.
func endless(begins, repeats string, size int) io.Reader {
	repeats = strings.Repeat(repeats, 1+(64<<10)/len(repeats))
	return io.MultiReader(strings.NewReader(begins), io.LimitReader(&repeater{text: repeats}, int64(size)))
}

type repeater struct {
	text string
	at   int
}

func (r *repeater) Read(p []byte) (int, error) {
	n := copy(p, r.text[r.at:])
	r.at = (r.at + n) % len(r.text)
	return n, nil
}

// countingSink keeps nothing.
type countingSink struct {
	rows int
	most uint64 // bytes of heap seen
}

func (s *countingSink) Columns([]string, string) error { return nil }

func (s *countingSink) Row(int, string, []string) error {
	if s.rows++; s.rows%(1<<17) == 1 {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		s.most = max(s.most, m.HeapInuse)
	}
	return nil
}

// TestImportNeedsConstantMemory imports files that must not fit. It is not parallel, to have the heap to itself.
func TestImportNeedsConstantMemory(t *testing.T) {
	const size = 16 << 20 // bytes
	long := strings.Repeat("x", 4000)
	for name, c := range map[string]struct {
		file io.Reader
		rows bool
	}{
		"many rows":        {endless("email,name\n", "ana@x.example,Ana "+long[:200]+"\n", size), true},
		"one line":         {endless("email,name\na@x.example,b\n", "x", size), true},
		"one header":       {endless("", "x", size), false},
		"many columns":     {endless("", ",", size), false},
		"unclosed quote":   {endless("email,name\na@x.example,b\nb@x.example,\"", long+"\n", size), true},
		"quotes":           {endless("email,name\na@x.example,b\n", "\"", size), true},
		"bad rows":         {endless("email,name\na@x.example,b\n", "x,y\n", size/8), true},
		"wide rows":        {endless("email,name\na@x.example,b\n", long+"@x,"+long+"\n", size), true},
		"UTF-16":           {endless("\xff\xfe", "e\x00m\x00a\x00i\x00l\x00\n\x00a\x00@\x00b\x00\n\x00", size/4), true},
		"zero bytes":       {endless("", "\x00", size), false},
		"different people": {&people{left: 1 << 17}, true},
	} {
		runtime.GC()
		var before runtime.MemStats
		runtime.ReadMemStats(&before)
		counted := &countingSink{}
		_, err := csv.New().(connectors.Importer).Import(t.Context(), c.file, connectors.ImportOptions{}, counted)
		if (err == nil) != c.rows {
			t.Errorf("%s: %v", name, err)
		}
		var after runtime.MemStats
		runtime.ReadMemStats(&after)
		if grown := int64(max(counted.most, after.HeapInuse)) - int64(before.HeapInuse); grown > 12<<20 {
			t.Errorf("%s: the heap grew by %d MiB", name, grown>>20)
		}
	}
}

// people is a file of rows with different addresses.
type people struct {
	left int
	buf  bytes.Buffer
}

func (p *people) Read(b []byte) (int, error) {
	if p.buf.Len() == 0 {
		if p.left == 0 {
			return 0, io.EOF
		}
		p.buf.WriteString("email\n")
		for range min(p.left, 1000) {
			fmt.Fprintf(&p.buf, "visitor%d@x.example\n", p.left)
			p.left--
		}
	}
	return p.buf.Read(b)
}

// checkedSink demands of each row what the host relies on.
type checkedSink struct {
	t       *testing.T
	columns []string
	line    int
	rows    int
	emails  map[string]bool
}

func (s *checkedSink) Columns(names []string, email string) error {
	if s.columns != nil || len(names) == 0 || len(names) > 1000 || !slices.Contains(names, email) {
		s.t.Fatalf("columns are %q with addresses in %q, after %q", names, email, s.columns)
	}
	seen := make(map[string]bool)
	for _, name := range names {
		if name == "" || seen[name] {
			s.t.Fatalf("column %q is empty or there twice", name)
		}
		seen[name] = true
	}
	s.columns = slices.Clone(names)
	return nil
}

func (s *checkedSink) Row(line int, email string, values []string) error {
	switch {
	case line <= s.line || s.columns == nil:
		s.t.Fatalf("line %d after line %d, with columns %q", line, s.line, s.columns)
	case len(values) == 0 || len(values) > len(s.columns):
		s.t.Fatalf("%d values for %d columns", len(values), len(s.columns))
	case email == "" || len(email) > 254 || address.Fold(email) != email:
		s.t.Fatalf("the address %q is not folded", email)
	case slices.ContainsFunc(values, func(v string) bool { return strings.Contains(v, "\x00") || strings.ToValidUTF8(v, "") != v }):
		s.t.Fatalf("%q is no text", values)
	}
	s.line, s.rows, s.emails[email] = line, s.rows+1, true
	return nil
}

func FuzzImport(f *testing.F) {
	for _, seed := range []string{
		"email,name\nana@x.example,Ana\n", "sep=;\r\nE-Mail;N\r\n\"a@b\";\"x\ny\"\r\n", "\ufeffemail\rana@x\r",
		"\xff\xfee\x00m\x00a\x00i\x00l\x00\n\x00a\x00@\x00b\x00", "a\tmail\n1\t<a@b>\n", "email,\"x\n", "PK\x03\x04", "mail\na@b\x00\n\xe4@b\n",
		"\x00e\x00m\x00a\x00i\x00l\x00\n\x00a\x00@\x00b", "email|a|a|a_2\na@b|1|2|3|4\n|||\n",
	} {
		f.Add([]byte(seed), "")
	}
	f.Fuzz(func(t *testing.T, file []byte, column string) {
		checked := &checkedSink{t: t, emails: make(map[string]bool)}
		o := connectors.ImportOptions{EmailColumn: column}
		report, err := csv.New().(connectors.Importer).Import(t.Context(), bytes.NewReader(file), o, checked)
		if report.Rows != checked.rows || report.Repeated != checked.rows-len(checked.emails) {
			t.Fatalf("report is %+v for %d rows of %d people", report, checked.rows, len(checked.emails))
		}
		if report.Rows+report.Rejected > len(file)+1 || len(report.Rejects) != min(report.Rejected, 100) {
			t.Fatalf("report is %+v for %d bytes", report, len(file))
		}
		var e *connectors.Error
		switch {
		case err == nil && report.Rows == 0:
			t.Fatal("a file without a good row was taken")
		case err != nil && (!errors.As(err, &e) || e.Class != connectors.Misconfigured || e.Line < 1 || e.Fix == ""):
			t.Fatalf("refused with %+v", err)
		}
	})
}

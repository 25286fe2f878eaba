package mysql_test

import (
	"fmt"
	"strings"
	"testing"

	"sidecard/connectors"
)

// TestAddressesAreFoundInEveryCollation asks for addresses in all kinds of column, and sees to it that an index answers.
func TestAddressesAreFoundInEveryCollation(t *testing.T) {
	t.Parallel()
	const ignoring, minding = true, false
	for _, c := range []struct {
		column string
		ignore bool // of case
	}{
		{"varchar(200) character set utf8mb4 collate utf8mb4_general_ci", ignoring},
		{"varchar(200) character set utf8mb4 collate utf8mb4_unicode_ci", ignoring},
		{"varchar(200) character set utf8mb4 collate utf8mb4_unicode_520_nopad_ci", ignoring},
		{"varchar(200) character set utf8mb4 collate uca1400_as_ci", ignoring},
		{"varchar(200) character set utf8mb4 collate uca1400_as_cs", minding},
		{"varchar(200) character set utf8mb4 collate utf8mb4_bin", minding},
		{"varchar(200) character set utf8mb3", ignoring},
		{"varchar(200) character set latin1", ignoring},
		{"varchar(200) character set latin1 collate latin1_general_cs", minding},
		{"varchar(200) character set ucs2", ignoring},
		{"varchar(200) character set cp1251", ignoring},
		{"char(60)", ignoring},
		{"text", ignoring},
		{"varbinary(200)", minding},
	} {
		t.Run(c.column, func(t *testing.T) {
			t.Parallel()
			d := newDatabase(t, "create table people (id int auto_increment primary key, email "+c.column+", key (email(50)))",
				"insert into people (email) select concat('visitor', seq, '@toy.example') from seq_1_to_60000",
				"insert into people (email) values ('ana@toy.example'), ('Bob@Toy.Example')", "analyze table people")
			src := open(t, d.settings(nil))
			for address, want := range map[string]connectors.Match{
				"ana@toy.example": connectors.Found, "ANA@Toy.Example": connectors.Found, "Bob@Toy.Example": connectors.Found,
				"bob@toy.example": map[bool]connectors.Match{ignoring: connectors.Found, minding: connectors.None}[c.ignore],
				"ana":             connectors.None, "юрий@toy.example": connectors.None, "😀@toy.example": connectors.None, "%": connectors.None,
			} {
				if res := lookup(t, src, address, "id"); res.Match != want {
					t.Errorf("%s: %s, want %s", address, res.Match, want)
				}
			}
			report := check(t, src)
			if s := step(t, report, "Index"); s.State != connectors.StepOK || !strings.Contains(s.Detail, "index") {
				t.Errorf("the index is not used: %+v", s)
			}
			if told := strings.Contains(step(t, report, "Read the table").Detail, "Capitals count"); told == c.ignore {
				t.Errorf("whether capitals count is told wrong: %+v", report.Steps)
			}
		})
	}
}

// TestStrangersWithLikeAddressesAreToldApart uses addresses that the server's collations take for the same.
func TestStrangersWithLikeAddressesAreToldApart(t *testing.T) {
	t.Parallel()
	var rows []string
	for _, like := range []string{"ánna", "annä", "ANNÀ", "ａnna", "an\u200bna", "ann\u0061\u0301", "añna", "anna\u0001"} {
		for i := range 3 {
			rows = append(rows, fmt.Sprintf("('%s@toy.example', 'stranger', %d)", like, 100+i))
		}
	}
	for _, collation := range []string{"utf8mb4_general_ci", "utf8mb4_unicode_ci", "utf8mb4_unicode_520_ci", "utf8mb4_unicode_nopad_ci", "uca1400_ai_ci"} {
		t.Run(collation, func(t *testing.T) {
			t.Parallel()
			d := newDatabase(t, "create table people (email varchar(200) character set utf8mb4 collate "+collation+", name varchar(20), n int)",
				"insert into people values "+strings.Join(rows, ", "))
			for _, order := range []string{"", "n"} {
				src := open(t, d.settings(map[string]any{"order_by": order}))
				if res := lookup(t, src, "anna@toy.example"); res.Match != connectors.None {
					t.Errorf("ordered by %q, a stranger is shown somebody else's records: %+v", order, res)
				}
			}
			// The right row is found among more strangers than an answer has room for, though theirs are newer.
			d.exec("insert into people values ('Anna@toy.example', 'Anna', 1)")
			for _, order := range []string{"", "n"} {
				src := open(t, d.settings(map[string]any{"order_by": order}))
				if res := lookup(t, src, "anna@toy.example"); res.Match != connectors.Found || res.Records[0]["name"].Text != "Anna" {
					t.Errorf("ordered by %q: %+v", order, res)
				}
			}
		})
	}
}

func TestBlanksAtTheEndDoNotCount(t *testing.T) {
	t.Parallel()
	d := newDatabase(t, "create table people (email varchar(200), fixed char(60))", "insert into people values ('ana@toy.example  ', 'ana@toy.example')")
	for _, column := range []string{"email", "fixed"} {
		if res := lookup(t, open(t, d.settings(map[string]any{"email_column": column})), "ana@toy.example"); res.Match != connectors.Found {
			t.Errorf("%s: %+v", column, res)
		}
	}
}

func TestTextOfOtherEncodingsArrivesWhole(t *testing.T) {
	t.Parallel()
	d := newDatabase(t, "create table people (email varchar(200), name varchar(99)) character set latin1",
		"insert into people values ('jürgen@toy.example', 'Jürgen Öst')")
	if res := lookup(t, open(t, d.settings(nil)), "Jürgen@toy.example"); res.Match != connectors.Found || res.Records[0]["name"].Text != "Jürgen Öst" {
		t.Errorf("got %+v", res)
	}
}

package mysql

import (
	"context"
	"database/sql/driver"
	"encoding/json"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"sidecard/connectors"
	"sidecard/connectors/reach"
)

func TestGrantsAreReadAsServersWriteThem(t *testing.T) {
	t.Parallel()
	for grant, want := range map[string]rights{
		"GRANT USAGE ON *.* TO `r`@`%` IDENTIFIED BY PASSWORD '*B69027D44F6E5EDC07F1AEAD1477967B16F28227'": {},
		"GRANT USAGE ON *.* TO `r`@`%` REQUIRE SSL WITH MAX_USER_CONNECTIONS 10":                           {},
		"GRANT SELECT (`email`, `a, INSERT`), REFERENCES ON `shop`.`people` TO `r`@`%`":                    {},
		"GRANT SELECT (`a ON b`) ON `shop`.`people` TO `r`@`%`":                                            {},
		"GRANT SELECT, SHOW VIEW ON `a ON b`.* TO `r`@`%`":                                                 {},

		"GRANT `rr`@`%` TO `r`@`%`":                                                            {},
		"REVOKE INSERT ON `mysql`.* FROM `r`@`%`":                                              {},
		"GRANT SELECT, INSERT (`a`, `b`) ON `shop`.`people` TO `r`@`%`":                        {writes: 1},
		"GRANT EXECUTE ON PROCEDURE `shop`.`x` TO `r`@`%`":                                     {writes: 1},
		"GRANT ALL PRIVILEGES ON `shop`.* TO `r`@`%`":                                          {writes: 1},
		"GRANT ALL PRIVILEGES ON *.* TO `root`@`localhost` WITH GRANT OPTION":                  {server: true},
		"GRANT APPLICATION_PASSWORD_ADMIN,AUDIT_ADMIN ON *.* TO `r`@`%`":                       {server: true},
		"GRANT PROXY ON ``@`%` TO `root`@`localhost`":                                          {server: true, writes: 1},
		"GRANT SELECT ON `shop`.`people` TO `r`@`%` WITH GRANT OPTION":                         {server: true},
		"GRANT SELECT, INSERT, UPDATE, DELETE, CREATE ON *.* TO `admin`@`%` WITH GRANT OPTION": {server: true},
	} {
		var got rights
		if got.weigh(grant); got != want {
			t.Errorf("%s: %+v, want %+v", grant, got, want)
		}
	}
}

func TestAccountsAreWrittenForStatements(t *testing.T) {
	t.Parallel()
	for current, want := range map[string]string{
		"sidecard@%": "'sidecard'@'%'", "a@b@10.0.0.%": "'a@b'@'10.0.0.%'", `o'b\x@localhost`: `'o''b\\x'@'localhost'`, "": "'sidecard'@'%'",
	} {
		if got := account(current); got != want {
			t.Errorf("%s: %s, want %s", current, got, want)
		}
	}
}

func TestPlansAreReadInBothForms(t *testing.T) {
	t.Parallel()
	mariadb := []driver.Value{int64(1), []byte("SIMPLE"), []byte("p"), []byte("ALL"), nil, nil, nil, nil, int64(60000), []byte("Using where")}
	mysql := []driver.Value{int64(1), []byte("SIMPLE"), []byte("p"), nil, []byte("ALL"), nil, nil, nil, nil, int64(60000), float64(10), []byte("Using where")}
	for _, row := range [][]driver.Value{mariadb, mysql} {
		if how, rows, ok := planned(row); how != "ALL" || rows != 60000 || !ok {
			t.Errorf("%d columns: %s, %d, %v", len(row), how, rows, ok)
		}
	}
	if _, _, ok := planned([]driver.Value{[]byte("-> Table scan on p")}); ok {
		t.Error("a tree was read as a table")
	}
}

func TestVersionsAreReadFromGreetings(t *testing.T) {
	t.Parallel()
	for greeting, want := range map[string]string{
		"8.4.2": "8.4.2", "5.5.5-10.4.34-MariaDB-1:10.4.34": "10.4.34", "11.4.2-MariaDB-ubu2404-log": "11.4.2", "5.7.44-log": "5.7.44", "<b>": "",
	} {
		if got := version(greeting); got != want {
			t.Errorf("%s: %s, want %s", greeting, got, want)
		}
	}
}

func TestJSONOfMySQLIsReadByItsKind(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]connectors.Value{
		`{"a": [1, 2.50]}`: {Kind: connectors.JSON, Text: `{"a":[1,2.50]}`},
		`"plain"`:          {Kind: connectors.Text, Text: "plain"},
		`12.50`:            {Kind: connectors.Number, Text: "12.50"},
		`1e999999999`:      {Kind: connectors.Text, Text: "1e999999999"},
		`true`:             {Kind: connectors.Bool, Text: "true"},
		`null`:             {Kind: connectors.Null},
		`{"a`:              {Kind: connectors.Text, Text: `{"a`},
		`"a\u0000b"`:       {Kind: connectors.Text, Text: "a\ufffdb"},
	} {
		if got := asJSON.value([]byte(text)); got != want {
			t.Errorf("%s: %+v, want %+v", text, got, want)
		}
	}
}

func FuzzOptions(f *testing.F) {
	for _, seed := range []string{"enum('free','it''s')", "set('a','b,c')", "enum('", "enum('a''", "int", "enum('','')"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, full string) {
		words := options(full)
		written := make([]string, len(words))
		for i, w := range words {
			written[i] = "'" + strings.ReplaceAll(w, "'", "''") + "'"
		}
		if again := options("enum(" + strings.Join(written, ",") + ")"); !slices.Equal(again, words) {
			t.Errorf("%q gives %q, and that %q", full, words, again)
		}
	})
}

func FuzzGrants(f *testing.F) {
	f.Add("GRANT SELECT (`email`), INSERT ON `shop`.`people` TO `r`@`%`")
	f.Add("GRANT PROXY ON ``@`%` TO 'root'@'localhost' WITH GRANT OPTION")
	f.Fuzz(func(t *testing.T, grant string) {
		var r rights
		r.weigh(grant)
		if r.excess() == "" && strings.HasPrefix(grant, "GRANT ALL PRIVILEGES ON ") {
			t.Errorf("%q is taken for harmless", grant)
		}
	})
}

// FuzzValue feeds the decoder what a server might send for a value. Every value must be sound and bounded.
func FuzzValue(f *testing.F) {
	for _, seed := range []string{"1", "-0.50", "00042", "2026-11-22 09:00:00.5", "0000-00-00", `{"a":1}`, `[`, `"\u0000"`, "\x00\xff", strings.Repeat("ä", 5000)} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		for s := asOther; s <= asBytes; s++ {
			record, err := recordOf([]driver.Value{raw}, []column{{name: "a", shape: s}})
			if err != nil {
				t.Fatal(err)
			}
			v := record["a"]
			if len(v.Text) > maxValue || !utf8.ValidString(v.Text) || strings.ContainsRune(v.Text, 0) {
				t.Errorf("as shape %d it is unsound: %q", s, v.Text)
			}
			if v.Kind == "" || v.Kind == connectors.Null && v.Text != "" || v.Kind == connectors.Number && strings.Trim(v.Text, "-0123456789.") != "" {
				t.Errorf("as shape %d it is %+v", s, v)
			}
			if v.Kind == connectors.JSON && !json.Valid([]byte(v.Text)) {
				t.Errorf("as shape %d it is broken JSON: %q", s, v.Text)
			}
		}
	})
}

// FuzzServer lets a server say anything. The lookup must end, by an error or not, and the process go on.
func FuzzServer(f *testing.F) {
	const hello = "\x49\x00\x00\x00\x0a8.4.2\x00\x01\x00\x00\x0012345678\x00\x88\x82\x2d\x02\x00\x28\x00\x15\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00123456789012\x00mysql_native_password\x00"
	const ok = "\x07\x00\x00\x02\x00\x00\x00\x02\x00\x00\x00"
	first := strings.Replace(ok, "\x02", "\x01", 1)
	f.Add([]byte(hello))
	f.Add([]byte(hello + ok + first + first + "\x0c\x00\x00\x01\x00\x01\x00\x00\x00\x06\x00\x03\x00\x00\x00\x00"))
	f.Add([]byte(hello + ok + "\x09\x00\x00\x01\xfe\x00\x00\x00\x00\x00\x01\x00\x00"))
	f.Add([]byte(hello + "\x16\x00\x00\x02\xfemysql_clear_password\x00"))
	f.Add([]byte("\x10\x00\x00\x00\xff\x10\x04Too many conn"))
	f.Fuzz(func(_ *testing.T, said []byte) {
		s := &source{choice: choice{database: "shop", table: "people", email: "email"}, now: time.Now}
		in := connectors.OpenInput{
			Settings: connectors.Settings{"host": json.RawMessage(`"192.0.2.7"`), "tls": json.RawMessage(`"off"`), "user": json.RawMessage(`"app"`)},
			Resolve:  func(context.Context, string) ([]string, error) { return []string{"192.0.2.7"}, nil },
			Dial: func(context.Context, string, string) (net.Conn, error) {
				near, far := net.Pipe()
				go func() { _, _ = io.Copy(io.Discard, far) }()
				go func() {
					_, _ = far.Write(said)
					far.Close()
				}()
				return near, nil
			},
		}
		if err := s.configure(in); err != nil {
			panic(err)
		}
		s.pool = newPool(reach.NewKeeper(1, reach.IdleTime), s.now, func(ctx context.Context) (*session, error) { return s.connect(ctx, ignore) })
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		_, _ = s.Lookup(ctx, connectors.Query{Email: "ana@toy.example"})
		s.Close()
	})
}

package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
)

func TestCheckJSONFindsWhatDecodersLetPass(t *testing.T) {
	t.Parallel()
	deep := strings.Repeat(`{"a":`, maxDepth+2) + "1" + strings.Repeat("}", maxDepth+2)
	for name, c := range map[string]struct {
		body string
		want []string // pointer and the beginning of the detail
	}{
		"an object":               {`{"a":1,"b":[{"c":"x"}]}`, nil},
		"a value that is a name":  {`{"a":"a","b":{"a":"a"}}`, nil},
		"a name that comes twice": {`{"a":1,"a":2}`, []string{"/a Give this once"}},
		"twice further down":      {`{"l":[0,{"x":{"y":1,"y":2}}]}`, []string{"/l/1/x/y Give this once"}},
		"twice, spelled in escapes": {
			`{"a":1,"\u0061":2}`, []string{"/a Give this once"},
		},
		"a pointer's own signs": {`{"a/b~c":1,"a/b~c":2}`, []string{"/a~1b~0c Give this once"}},
		"NUL in a value":        {`{"a":["x\u0000y"]}`, []string{"/a/0 Leave out the NUL"}},
		"NUL in a name":         {`{"s":{"x\u0000":1}}`, []string{"/s Leave out the NUL"}},
		"two at once":           {`{"a":"\u0000","b":1,"b":2}`, []string{"/a Leave out the NUL", "/b Give this once"}},
		"no UTF-8":              {"{\"a\":\"\xff\"}", []string{" The body is not UTF-8"}},
		"a number that begins with zero": {
			`{"a":01}`, []string{" The body is not JSON: it cannot be read from byte 7 on"},
		},
		"more behind it":    {`{"a":1}{"b":2}`, []string{" The body is not JSON: it cannot be read from byte 8 on"}},
		"cut off":           {`{"a":`, []string{" The body is not JSON"}},
		"nothing but space": {"  \n", []string{" The body is not JSON"}},
		"too deep":          {deep, []string{" The body is nested more than 32 levels"}},
		"too many":          {"[" + strings.Repeat("0,", maxValues) + "0]", []string{" The body holds more than 5000 values"}},
		"many":              {"[" + strings.Repeat("0,", maxValues-2) + "0]", nil},
		"much too deep":     {strings.Repeat("[", 20_000), []string{" The body is not JSON"}},
		"a very long name twice": {
			`{"` + strings.Repeat("n", 500) + `":1,"` + strings.Repeat("n", 500) + `":1}`,
			[]string{"/" + strings.Repeat("n", 60) + "… Give this once"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := checkJSON([]byte(c.body))
			if len(got) != len(c.want) {
				t.Fatalf("complaints %v, want %q", got, c.want)
			}
			for i, want := range c.want {
				if line := got[i].Pointer + " " + got[i].Detail; !strings.HasPrefix(line, want) {
					t.Errorf("complaint %q, want it to begin %q", line, want)
				}
			}
		})
	}
}

func TestCheckJSONStopsComplaining(t *testing.T) {
	t.Parallel()
	body := `{"a":[` + strings.Repeat(`"\u0000",`, 1000) + `1]}`
	if got := len(checkJSON([]byte(body))); got != maxComplaints {
		t.Errorf("%d complaints, want %d", got, maxComplaints)
	}
}

// What passes means one thing only: it is valid JSON, and writing it again loses no name.
func FuzzCheckJSON(f *testing.F) {
	for _, seed := range []string{`{}`, `{"a":1,"a":2}`, `[{"a":"\u0000"}]`, `{"a":{"b":[1,2,{"c":null}]}}`, "\xef\xbb\xbf{}", `"x"`, ``} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		if len(checkJSON(body)) > 0 {
			return
		}
		var v any
		if err := json.Unmarshal(body, &v); err != nil {
			t.Fatalf("passed but does not decode: %v", err)
		}
		if got, want := countNames(v), writtenNames(t, body); got != want {
			t.Errorf("%d names are written and %d are read", want, got)
		}
	})
}

// writtenNames counts the names of all objects as they are written.
func writtenNames(t *testing.T, body []byte) int {
	n := 0
	d := json.NewDecoder(bytes.NewReader(body))
	var inObject []bool
	name := false
	for {
		token, err := d.Token()
		if err != nil {
			if !errors.Is(err, io.EOF) {
				t.Fatalf("passed but has no tokens: %v", err)
			}
			return n
		}
		delim, _ := token.(json.Delim)
		switch {
		case name && delim == 0:
			n, name = n+1, false
			continue
		case delim == '{' || delim == '[':
			inObject = append(inObject, delim == '{')
		case delim != 0:
			inObject = inObject[:len(inObject)-1]
		}
		name = len(inObject) > 0 && inObject[len(inObject)-1]
	}
}

// countNames counts the properties of all objects in a value.
func countNames(v any) int {
	n := 0
	switch v := v.(type) {
	case map[string]any:
		n = len(v)
		for _, one := range v {
			n += countNames(one)
		}
	case []any:
		for _, one := range v {
			n += countNames(one)
		}
	}
	return n
}

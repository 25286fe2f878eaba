package livesupporti_test

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"sidecard/internal/livesupporti"
)

// The body is laid out as ASP.NET's sender lays it out: indented by two spaces,
// lines ended by CR LF, text outside ASCII not escaped. The signature was
// computed with OpenSSL, not with this package.
var (
	vectorSecret = []byte("Brightwater-bikes-webhook-secret-2026")
	vectorBody   = []byte(strings.Join([]string{
		`{`,
		`  "Id": "3f2a7b0c9d1e4f5a8b6c7d8e9f0a1b2c",`,
		`  "Attempt": 1,`,
		`  "Properties": {},`,
		`  "Notifications": [`,
		`    {`,
		`      "Action": "ChatStarted",`,
		`      "Data": {`,
		`        "AccountId": "b943010f-b565-4731-9f34-42c54319957f",`,
		`        "AgentId": "150",`,
		`        "Visitor": {`,
		`          "Id": "169.26.97.99-1231178",`,
		`          "Email": "jörgen.o'hara+vip@example.com"`,
		`        }`,
		`      }`,
		`    }`,
		`  ]`,
		`}`,
	}, "\r\n"))
	vectorSignature = "sha256=83E20F9219A13F3BA731C8CB80D9762996491CC0C799F7662D07FAB1C4E6D55C"
)

func TestSignWritesWhatTheASPNETSenderWrites(t *testing.T) {
	t.Parallel()
	if got := livesupporti.Sign(vectorBody, vectorSecret); got != vectorSignature {
		t.Errorf("Sign = %s, want %s", got, vectorSignature)
	}
}

func TestVerify(t *testing.T) {
	t.Parallel()
	digits := strings.TrimPrefix(vectorSignature, "sha256=")
	sum, err := hex.DecodeString(digits)
	if err != nil {
		t.Fatal(err)
	}
	other := []byte("another secret of more than 32 characters")
	tests := []struct {
		name    string
		header  []string
		body    []byte
		secrets [][]byte
		want    error
	}{
		{"upper-case hex", []string{vectorSignature}, vectorBody, [][]byte{vectorSecret}, nil},
		{"lower-case hex", []string{strings.ToLower(vectorSignature)}, vectorBody, [][]byte{vectorSecret}, nil},
		{"mixed case", []string{"SHA256=" + strings.ToLower(digits[:9]) + digits[9:]}, vectorBody, [][]byte{vectorSecret}, nil},
		{"previous secret", []string{vectorSignature}, vectorBody, [][]byte{other, vectorSecret}, nil},
		{"no previous secret", []string{vectorSignature}, vectorBody, [][]byte{vectorSecret, nil}, nil},
		{"empty body", []string{livesupporti.Sign(nil, vectorSecret)}, nil, [][]byte{vectorSecret}, nil},

		{"no header", nil, vectorBody, [][]byte{vectorSecret}, livesupporti.ErrUnsigned},
		{"two headers, both right", []string{vectorSignature, vectorSignature}, vectorBody, [][]byte{vectorSecret}, livesupporti.ErrManySignatures},
		{"empty header", []string{""}, vectorBody, [][]byte{vectorSecret}, livesupporti.ErrMalformedSignature},
		{"prefix only", []string{"sha256="}, vectorBody, [][]byte{vectorSecret}, livesupporti.ErrMalformedSignature},
		{"no prefix", []string{digits}, vectorBody, [][]byte{vectorSecret}, livesupporti.ErrMalformedSignature},
		{"sha1", []string{"sha1=" + digits[:40]}, vectorBody, [][]byte{vectorSecret}, livesupporti.ErrMalformedSignature},
		{"other algorithm of the same length", []string{"sha512=" + digits}, vectorBody, [][]byte{vectorSecret}, livesupporti.ErrMalformedSignature},
		{"63 digits", []string{vectorSignature[:len(vectorSignature)-1]}, vectorBody, [][]byte{vectorSecret}, livesupporti.ErrMalformedSignature},
		{"65 digits", []string{vectorSignature + "0"}, vectorBody, [][]byte{vectorSecret}, livesupporti.ErrMalformedSignature},
		{"not hex", []string{vectorSignature[:len(vectorSignature)-1] + "G"}, vectorBody, [][]byte{vectorSecret}, livesupporti.ErrMalformedSignature},
		{"base64", []string{"sha256=" + base64.StdEncoding.EncodeToString(sum)}, vectorBody, [][]byte{vectorSecret}, livesupporti.ErrMalformedSignature},
		{"two in one header", []string{vectorSignature + "," + vectorSignature}, vectorBody, [][]byte{vectorSecret}, livesupporti.ErrMalformedSignature},
		{"white space around it", []string{" " + vectorSignature}, vectorBody, [][]byte{vectorSecret}, livesupporti.ErrMalformedSignature},

		{"other secret", []string{vectorSignature}, vectorBody, [][]byte{other}, livesupporti.ErrWrongSignature},
		{"no secret", []string{vectorSignature}, vectorBody, nil, livesupporti.ErrWrongSignature},
		{"signed with an empty secret", []string{livesupporti.Sign(vectorBody, nil)}, vectorBody, [][]byte{vectorSecret, nil, {}}, livesupporti.ErrWrongSignature},
		{"line ends changed", []string{vectorSignature}, []byte(strings.ReplaceAll(string(vectorBody), "\r\n", "\n")), [][]byte{vectorSecret}, livesupporti.ErrWrongSignature},
		{"trailing newline", []string{vectorSignature}, append(append([]byte{}, vectorBody...), '\n'), [][]byte{vectorSecret}, livesupporti.ErrWrongSignature},
		{"byte order mark", []string{vectorSignature}, append([]byte("\xef\xbb\xbf"), vectorBody...), [][]byte{vectorSecret}, livesupporti.ErrWrongSignature},
		{"one bit differs", []string{vectorSignature[:len(vectorSignature)-1] + "D"}, vectorBody, [][]byte{vectorSecret}, livesupporti.ErrWrongSignature},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := livesupporti.Verify(tt.header, tt.body, tt.secrets...); !errors.Is(got, tt.want) {
				t.Errorf("Verify = %v, want %v", got, tt.want)
			}
		})
	}
}

func FuzzSignatureHeader(f *testing.F) {
	f.Add(vectorSignature, vectorBody)
	f.Add(strings.ToLower(vectorSignature), vectorBody)
	f.Add("sha256=", []byte("{}"))
	f.Add("sha1="+strings.Repeat("0", 40), []byte("{}"))
	f.Fuzz(func(t *testing.T, header string, body []byte) {
		right := livesupporti.Sign(body, vectorSecret)
		if err := livesupporti.Verify([]string{right}, body, vectorSecret); err != nil {
			t.Errorf("the right signature of %q: %v", body, err)
		}
		err := livesupporti.Verify([]string{header}, body, vectorSecret)
		given, wanted := strings.ToLower(header), strings.ToLower(right)
		if accepted, same := err == nil, given == wanted; accepted != same {
			t.Errorf("Verify(%q) over %q = %v, although same = %v", header, body, err, same)
		}
	})
}

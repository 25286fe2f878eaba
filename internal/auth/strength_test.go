package auth

import (
	"errors"
	"strings"
	"testing"
)

var hints = []string{"Brightwater Outdoor GmbH", "eva.lindqvist@brightwater-outdoor.example"}

func TestGuessablePasswordsAreRefused(t *testing.T) {
	t.Parallel()
	for _, password := range []string{
		"password1234", "Password1234!", "P4$$w0rd1234", "passwordpassword", "MyPassword123", "pa55word2026!", "adminadminadmin",
		"administrator", "administrator1", "Administrator2026", "welcome12345", "Welcome2026!!", "we1come12345", "letmein12345", "iloveyou1234",
		"qwertyuiop12", "qwerty123456", "Qwertz123456", "azertyuiop12", "1q2w3e4r5t6y", "1qaz2wsx3edc", "zxcvbnm12345", "asdfghjkl123", "QWERTYqwerty",
		"123456789012", "012345678901", "098765432109", "111111111111", "000000000000", "aaaaaaaaaaaa", "            ", "abcabcabcabc", "abcdefghijkl",
		"zyxwvutsrqpo", "abcd1234abcd", "112233445566", "121212121212", "ababababababa", "hunter2hunter2", "xkcdxkcdxkcd", "otter9otter9", "ferns!ferns!ferns!", "a1b2a1b2a1b2",
		"sunshine2026!", "Summer2026!!", "Sommer-2026!", "dragonmonkey1", "superman12345", "footballfootball", "correcthorsebatterystaple",
		"Monday01.2026", "january2026!!", "changeme1234", "changemechangeme", "default12345!", "google123456", "!@#$%^&*()!@", "trustno1trustno1",
		"\uff50\uff41\uff53\uff53\uff57\uff4f\uff52\uff441234", "livesupporti1", "Sidecard2026!", "test-test-test", "secret.secret.",
	} {
		err := CheckPassword(password)
		if !errors.Is(err, ErrWeakPassword) {
			t.Errorf("%q: %v, want ErrWeakPassword", password, err)
		}
	}
}

func TestHintsAreRefused(t *testing.T) {
	t.Parallel()
	for _, password := range []string{
		"brightwater-outdoor", "BrightWater2026", "Br1ghtw4ter!!", "eva.lindqvist", "EvaLindqvist1", "lindqvist@brightwater",
		"outdoor123456", "Eva-Outdoor-2026", "eva.lindqvist@brightwater-outdoor.example",
	} {
		err := CheckPassword(password, hints...)
		if !errors.Is(err, ErrWeakPassword) {
			t.Errorf("%q: %v, want ErrWeakPassword", password, err)
			continue
		}
		if strings.Contains(err.Error(), password) {
			t.Errorf("%q: the error quotes it", password)
		}
	}
	if err := CheckPassword("brightwater-outdoor"); err != nil {
		t.Errorf("without hints: %v", err)
	}
	if err := CheckPassword("BrightWater2026", hints...); err == nil || !strings.Contains(err.Error(), "company's name") {
		t.Errorf("%v does not say why", err)
	}
}

func TestOwnPasswordsAreAccepted(t *testing.T) {
	t.Parallel()
	for _, password := range []string{
		"seven grey otters swim", "lantern-velvet-cactus", "Gx7!kQ2z#Lm9", "the rain in Malmo stays", "830194725561", "m\u00f8rketid p\u00e5 loftet",
		"\u8349\u679d\u306e\u96e8\u3068\u9ed2\u732b\u306f\u9759\u304b\u3060\u306d", "correct otter battery moss", "eva likes purple tea kettles", "aB3$aB3$xQ9!vN2?",
		"brightwater needs kayaks", "Zw\u00f6lf Boxk\u00e4mpfer jagen", strings.Repeat("kayak moss ", 11) + "fern42",
		"\U0001f9ad\U0001f9a6\U0001f341\U0001f9ca\U0001f30a\U0001fab5\U0001f9ad\U0001f341\U0001f9ca\U0001fab8\U0001f41a\U0001f980",
	} {
		if err := CheckPassword(password, hints...); err != nil {
			t.Errorf("%q: %v", password, err)
		}
	}
}

func TestPasswordLength(t *testing.T) {
	t.Parallel()
	long := "kayak moss fern lantern velvet cactus otter rain kettle harbour pine gravel "
	for _, c := range []struct {
		password string
		want     error
	}{
		{"", errTooShort},
		{"grey otters", errTooShort},
		{"grey otters!", nil},
		{"\ufb01sh owl ree", nil}, // a ligature is two letters after NFKC
		{"\ufb01sh owl re", errTooShort},
		{strings.Repeat("u\u0308", 11), errTooShort}, // 22 code points, 11 letters
		{(long + long)[:128], nil},
		{(long + long)[:129], errTooLong},
		{strings.Repeat("x", 1025), errTooLong},
		{strings.Repeat("\ufdfa", 20), errTooLong}, // one character becomes eighteen
		{"grey \xff\xfe otters", errUnreadable},
	} {
		err := CheckPassword(c.password)
		if !errors.Is(err, c.want) {
			t.Errorf("%q: %v, want %v", c.password, err, c.want)
		}
		if c.want != nil && !errors.Is(err, ErrWeakPassword) {
			t.Errorf("%q: %v does not wrap ErrWeakPassword", c.password, err)
		}
	}
}

func TestCommonWordsAreUsable(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, word := range commonWords {
		if seen[word] || len(word) < minHint || word != strings.ToLower(word) {
			t.Errorf("%q is doubled, short or not in lower case", word)
		}
		seen[word] = true
	}
	if len(seen) < 150 {
		t.Errorf("%d words", len(seen))
	}
}

func FuzzCheckPassword(f *testing.F) {
	for _, s := range []string{"", "password1234", "seven grey otters swim", "\ufdfa\xff", strings.Repeat("ab", 600)} {
		f.Add(s, "hint")
	}
	f.Fuzz(func(t *testing.T, password, hint string) {
		err := CheckPassword(password, hint)
		if err != nil && !errors.Is(err, ErrWeakPassword) {
			t.Errorf("%v does not wrap ErrWeakPassword", err)
		}
		if err == nil && len(password) > maxPasswordBytes {
			t.Error("an overlong password was accepted")
		}
	})
}

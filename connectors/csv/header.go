package csv

import (
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"sidecard/connectors"
	"sidecard/connectors/address"
)

const maxName = 200 // characters of a column's name

// columnNames makes names of the header's cells: trimmed, NFC, none empty, none twice.
func columnNames(cells []string) []string {
	names := make([]string, len(cells))
	taken := make(map[string]bool, len(cells))
	for i, cell := range cells {
		name := norm.NFC.String(strings.Join(strings.FieldsFunc(cell, address.IsSpace), " "))
		if runes := []rune(name); len(runes) > maxName {
			name = string(runes[:maxName])
		}
		if name == "" {
			name = "column_" + strconv.Itoa(i+1)
		}
		names[i] = name
	}
	for _, name := range names {
		taken[name] = true
	}
	seen := make(map[string]bool, len(cells))
	for i, name := range names {
		for n := 2; seen[names[i]]; n++ {
			if next := name + "_" + strconv.Itoa(n); !taken[next] {
				names[i] = next
			}
		}
		seen[names[i]], taken[names[i]] = true, true
	}
	return names
}

// addressNames are what columns of e-mail addresses are called, in the letters and digits of the name alone.
var addressNames = map[string]bool{
	"email": true, "emails": true, "emailaddress": true, "emailaddresses": true, "emailid": true, "mail": true,
	"mailaddress": true, "useremail": true, "customeremail": true, "contactemail": true, "primaryemail": true,
	"emailadresse": true, "mailadresse": true, "epost": true, "epostadresse": true, "epostadress": true, // German, Nordic
	"emailadres": true, "mailadres": true, // Dutch
	"courriel": true, "adressemail": true, "adresseemail": true, "adressecourriel": true, // French
	"correo": true, "correoelectronico": true, "correoelectrónico": true, "direcciondecorreo": true, // Spanish
	"correioeletronico": true, "correioeletrónico": true, "correioeletrônico": true, "enderecodeemail": true,
	"endereçodeemail": true,                                                  // Portuguese
	"indirizzoemail":  true, "indirizzomail": true, "postaelettronica": true, // Italian
	"adresemail": true, "adresaemail": true, "adrespocztyelektronicznej": true, // Polish, Romanian
	"eposta": true, "epostaadresi": true, "epastas": true, "epasts": true, "elpastas": true, // Turkish, Baltic
	"sähköposti": true, "sähköpostiosoite": true, "tölvupóstur": true, "netfang": true, // Finnish, Icelandic
	"emailcím": true, "emailová": true, "emailováadresa": true, // Hungarian, Czech, Slovak
	"почта": true, "электроннаяпочта": true, "адресэлектроннойпочты": true, "имейл": true, "електроннапошта": true,
	"ηλεκτρονικόταχυδρομείο": true, "メール": true, "メールアドレス": true, "邮箱": true, "电子邮件": true, "电子邮箱": true,
	"郵箱": true, "電子郵件": true, "이메일": true, "이메일주소": true, "อีเมล": true, "דואל": true, "البريدالإلكتروني": true,
}

// bare keeps the letters, digits and marks of a name, in lower case.
func bare(name string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, name)
}

// columnNamed finds a column by the name a person gave it: exactly, or else but for case.
func columnNamed(names []string, name string) (int, bool) {
	name = columnNames([]string{name})[0]
	for i, n := range names {
		if n == name {
			return i, true
		}
	}
	for i, n := range names {
		if strings.EqualFold(n, name) {
			return i, true
		}
	}
	return 0, false
}

// emailColumn finds the column of addresses: the tenant's choice; a column that is called so; one whose
// values are addresses. A name alone is trusted only when no column's values speak for it, because
// "email_opt_in" holds yes and no.
func emailColumn(names []string, records [][]string, chosen string, line int) (int, *connectors.Error) {
	if chosen != "" {
		if i, ok := columnNamed(names, chosen); ok {
			return i, nil
		}
		return 0, noEmailColumn(line, "The file has no column “"+chosen+"”; it has "+list(names)+".",
			"Choose one of these columns as the address column, or add the missing one to the file.")
	}
	shares := addressShares(len(names), records)
	called := func(i int) bool { return addressNames[bare(names[i])] }
	for _, fits := range []func(int) bool{
		func(i int) bool { return called(i) && shares[i] >= 0.5 },
		func(i int) bool { return strings.Contains(bare(names[i]), "mail") && shares[i] >= 0.8 },
		func(i int) bool { return shares[i] >= 0.8 },
		called,
	} {
		for i := range names {
			if fits(i) {
				return i, nil
			}
		}
	}
	return 0, noEmailColumn(line, "None of the columns holds e-mail addresses: the file has "+list(names)+".",
		"Name the column with the addresses “email” in the first line, or choose it as the address column.")
}

// addressShares tells for each column which part of its values are addresses.
func addressShares(columns int, records [][]string) []float64 {
	shares := make([]float64, columns)
	for i := range shares {
		filled, addresses := 0, 0
		for _, cells := range records {
			if i >= len(cells) || strings.TrimSpace(cells[i]) == "" {
				continue
			}
			if filled++; isAddress(cells[i]) {
				addresses++
			}
		}
		shares[i] = float64(addresses) / float64(max(filled, 1))
	}
	return shares
}

func noEmailColumn(line int, message, fix string) *connectors.Error {
	e := misconfigured("csv.no_email_column", line, message, fix)
	e.Field = "email_column"
	return e
}

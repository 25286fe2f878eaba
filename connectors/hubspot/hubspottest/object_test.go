package hubspottest_test

import (
	"fmt"
	"slices"
	"sort"
	"strings"
	"testing"
	"time"

	"sidecard/connectors/hubspot/hubspottest"
)

const (
	contactPath = "/crm/objects/2026-09/contacts/"
	batchPath   = contactPath + "batch/read"
)

func TestWhatIsDefinedIsNullAndWhatIsNotIsAbsent(t *testing.T) {
	t.Parallel()
	p := start(t, hubspottest.Options{})
	id := p.Add(hubspottest.Contacts, contact("ana@example.com", "plan", "gold"))
	r := decoded[record](t, p.get(contactPath+id+"?properties=plan,phone,unicorn"), 200)
	if v := r.Properties["plan"]; v == nil || *v != "gold" {
		t.Errorf("plan %v", v)
	}
	if v, there := r.Properties["phone"]; !there || v != nil {
		t.Errorf("phone %v %v", v, there)
	}
	if _, there := r.Properties["unicorn"]; there {
		t.Error("a property that nobody defined")
	}
	p.Undefine(hubspottest.Contacts, "plan")
	if _, there := decoded[record](t, p.get(contactPath+id+"?properties=plan"), 200).Properties["plan"]; there {
		t.Error("a property that is not defined any more")
	}
}

func TestThreePropertiesAreAlwaysThereAndSixByDefault(t *testing.T) {
	t.Parallel()
	p := start(t, hubspottest.Options{})
	id := p.Add(hubspottest.Contacts, contact("ana@example.com"))
	for query, want := range map[string][]string{
		"":                  {"createdate", "email", "firstname", "hs_object_id", "lastmodifieddate", "lastname"},
		"?properties=phone": {"createdate", "hs_object_id", "lastmodifieddate", "phone"},
	} {
		var got []string
		for name := range decoded[record](t, p.get(contactPath+id+query), 200).Properties {
			got = append(got, name)
		}
		sort.Strings(got)
		if !slices.Equal(got, want) {
			t.Errorf("%q: %v", query, got)
		}
	}
}

func TestKeysAreSorted(t *testing.T) {
	t.Parallel()
	p := start(t, hubspottest.Options{})
	id := p.Add(hubspottest.Contacts, contact("ana@example.com"))
	body := p.get(contactPath + id + "?properties=phone,email,company").body
	last := -1
	for _, name := range []string{"company", "createdate", "email", "hs_object_id", "lastmodifieddate", "phone"} {
		at := strings.Index(body, `"`+name+`":`)
		if at <= last {
			t.Errorf("%s at %d after %d in %s", name, at, last, body)
		}
		last = at
	}
}

func TestTimesHaveThreeDigitsOrNone(t *testing.T) {
	t.Parallel()
	p := start(t, hubspottest.Options{})
	whole := p.Add(hubspottest.Contacts, contact("a@example.com"))
	p.Advance(120 * time.Millisecond)
	part := p.Add(hubspottest.Contacts, contact("b@example.com"))
	for id, want := range map[string]string{whole: "2026-11-23T12:00:00Z", part: "2026-11-23T12:00:00.120Z"} {
		if r := decoded[record](t, p.get(contactPath+id), 200); r.CreatedAt != want || *r.Properties["createdate"] != want {
			t.Errorf("%s, want %s", r.CreatedAt, want)
		}
	}
}

func TestAContactIsFoundByAnyAddressInAnyCase(t *testing.T) {
	t.Parallel()
	p := start(t, hubspottest.Options{})
	id := p.Add(hubspottest.Contacts, contact("Ana@Example.com", "hs_additional_emails", "old@example.com; Other@example.com"))
	for _, email := range []string{"ana@example.com", "ANA%40EXAMPLE.COM", "old@example.com", "other@example.com"} {
		if r := decoded[record](t, p.get(contactPath+email+"?idProperty=email"), 200); r.ID != id {
			t.Errorf("%s: %s", email, r.ID)
		}
		body := fmt.Sprintf(`{"idProperty":"email","inputs":[{"id":%q}],"properties":["email"],"propertiesWithHistory":[]}`, strings.ReplaceAll(email, "%40", "@"))
		if m := decoded[many](t, p.post(batchPath, body), 200); len(m.Results) != 1 || m.Results[0].ID != id {
			t.Errorf("batch %s: %+v", email, m)
		}
	}
	refused(t, p.get(contactPath+"nobody@example.com?idProperty=email"), 404, "resource not found")
}

func TestAPrimaryAddressWinsOverASecondaryOne(t *testing.T) {
	t.Parallel()
	p := start(t, hubspottest.Options{})
	p.Add(hubspottest.Contacts, contact("new@example.com", "hs_additional_emails", "ana@example.com"))
	primary := p.Add(hubspottest.Contacts, contact("ana@example.com"))
	if r := decoded[record](t, p.get(contactPath+"ana@example.com?idProperty=email"), 200); r.ID != primary {
		t.Errorf("%s, want %s", r.ID, primary)
	}
}

func TestEscapedAddressesAreReadAsWritten(t *testing.T) {
	t.Parallel()
	p := start(t, hubspottest.Options{})
	for email, path := range map[string]string{
		"a/b@example.com": "a%2Fb@example.com", "a+b@example.com": "a+b@example.com", "a%b@example.com": "a%25b@example.com", "c+d@example.com": "c%2Bd%40example.com",
	} {
		id := p.Add(hubspottest.Contacts, contact(email))
		if r := decoded[record](t, p.get(contactPath+path+"?idProperty=email"), 200); r.ID != id {
			t.Errorf("%s: %s, want %s", email, r.ID, id)
		}
	}
}

func TestArchivedRecordsComeOnlyWhenAskedFor(t *testing.T) {
	t.Parallel()
	p := start(t, hubspottest.Options{SearchLag: -1})
	gone := contact("ana@example.com")
	gone.Archived = true
	id := p.Add(hubspottest.Contacts, gone)
	refused(t, p.get(contactPath+id), 404)
	if r := decoded[record](t, p.get(contactPath+id+"?archived=true"), 200); !r.Archived {
		t.Error("not archived")
	}
	body := `{"inputs":[{"id":"` + id + `"}],"properties":[],"propertiesWithHistory":[]}`
	if m := decoded[many](t, p.post(batchPath, body), 207); len(m.Results) != 0 {
		t.Errorf("%+v", m)
	}
	if m := decoded[many](t, p.post(batchPath+"?archived=true", body), 200); len(m.Results) != 1 {
		t.Errorf("%+v", m)
	}
	if m := decoded[many](t, p.post(searchPath, emailSearch("ana@example.com")), 200); m.Total != 0 {
		t.Errorf("search: %+v", m)
	}
}

func TestMissingInputsMake207WithOneErrorForAll(t *testing.T) {
	t.Parallel()
	p := start(t, hubspottest.Options{})
	id := p.Add(hubspottest.Contacts, contact("ana@example.com"))
	m := decoded[many](t, p.post(batchPath, `{"inputs":[{"id":"8"},{"id":"`+id+`"},{"id":"9"}],"properties":[],"propertiesWithHistory":[]}`), 207)
	if m.Status != "COMPLETE" || len(m.Results) != 1 || m.NumErrors != 1 || len(m.Errors) != 1 {
		t.Fatalf("%+v", m)
	}
	if e := m.Errors[0]; e.Category != "OBJECT_NOT_FOUND" || !slices.Equal(e.Context["ids"], []string{"8", "9"}) {
		t.Errorf("%+v", e)
	}
}

func TestTwoInputsOfOneRecordGiveItOnce(t *testing.T) {
	t.Parallel()
	p := start(t, hubspottest.Options{})
	p.Add(hubspottest.Contacts, contact("ana@example.com", "hs_additional_emails", "old@example.com"))
	m := decoded[many](t, p.post(batchPath, `{"idProperty":"email","inputs":[{"id":"ana@example.com"},{"id":"old@example.com"}],"properties":[],"propertiesWithHistory":[]}`), 200)
	if len(m.Results) != 1 || m.NumErrors != 0 {
		t.Errorf("%+v", m)
	}
}

func TestABatchTakesAHundredInputs(t *testing.T) {
	t.Parallel()
	p := start(t, hubspottest.Options{})
	body := func(n int) string {
		return `{"inputs":[` + strings.TrimSuffix(strings.Repeat(`{"id":"1"},`, n), ",") + `],"properties":[],"propertiesWithHistory":[]}`
	}
	if a := p.post(batchPath, body(100)); a.status != 207 {
		t.Errorf("100: %d", a.status)
	}
	refused(t, p.post(batchPath, body(101)), 400, "VALIDATION_ERROR")
}

func TestABatchNeedsAllThreeMembers(t *testing.T) {
	t.Parallel()
	p := start(t, hubspottest.Options{})
	for _, body := range []string{
		`{"properties":[],"propertiesWithHistory":[]}`, `{"inputs":[],"propertiesWithHistory":[]}`, `{"inputs":[],"properties":[]}`,
		`{"idProperty":"phone","inputs":[],"properties":[],"propertiesWithHistory":[]}`,
	} {
		refused(t, p.post(batchPath, body), 400, "VALIDATION_ERROR")
	}
}

func TestBadJSONIsRefusedWithItsPlace(t *testing.T) {
	t.Parallel()
	p := start(t, hubspottest.Options{})
	refused(t, p.post(batchPath, "{\"inputs\":\n  oops}"), 400, "VALIDATION_ERROR", "Invalid input JSON on line 2, column 3: ")
	refused(t, p.post(batchPath, `{"inputs":[`), 400, "Invalid input JSON on line 1, column 11: ")
	refused(t, p.post(batchPath, "{\"inputs\":5,\n\"properties\":[]}"), 400, "Invalid input JSON on line 1, column 11: ")
}

func TestARecordHasTheLinkOfItsPage(t *testing.T) {
	t.Parallel()
	p := start(t, hubspottest.Options{})
	id := p.Add(hubspottest.Contacts, contact("ana@example.com"))
	if r := decoded[record](t, p.get(contactPath+id), 200); r.URL != "https://app.hubspot.com/contacts/62515/record/0-1/"+id {
		t.Error(r.URL)
	}
}

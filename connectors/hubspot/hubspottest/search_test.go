package hubspottest_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"sidecard/connectors/hubspot/hubspottest"
)

const searchPath = contactPath + "search"

func emailSearch(email string) string { return filterSearch("email", "EQ", email) }

func filterSearch(property, operator, value string) string {
	return fmt.Sprintf(`{"filterGroups":[{"filters":[{"propertyName":%q,"operator":%q,"value":%q}]}],"properties":["email"],"limit":2}`, property, operator, value)
}

func TestSearchComparesWhateverTheCaseAndBySecondaryAddresses(t *testing.T) {
	t.Parallel()
	p := start(t, hubspottest.Options{SearchLag: -1})
	p.Add(hubspottest.Contacts, contact("ana@example.com", "hs_additional_emails", "old@example.com", "plan", "Gold"))
	for body, want := range map[string]int{
		emailSearch("ANA@example.com"): 1, emailSearch("old@example.com"): 1, emailSearch("nobody@example.com"): 0,
		filterSearch("plan", "EQ", "gold"): 1,
	} {
		if m := decoded[many](t, p.post(searchPath, body), 200); m.Total != want || len(m.Results) != want {
			t.Errorf("%s: %+v", body, m)
		}
	}
}

func TestAnOperatorThatTheEmulatorLacksIsRefused(t *testing.T) {
	t.Parallel()
	p := start(t, hubspottest.Options{SearchLag: -1})
	refused(t, p.post(searchPath, filterSearch("email", "CONTAINS_TOKEN", "ana")), 400, "VALIDATION_ERROR")
}

func TestNewRecordsStayOutOfSearchForTwoSeconds(t *testing.T) {
	t.Parallel()
	p := start(t, hubspottest.Options{})
	p.Add(hubspottest.Contacts, contact("ana@example.com"))
	total := func() int { return decoded[many](t, p.post(searchPath, emailSearch("ana@example.com")), 200).Total }
	if n := total(); n != 0 {
		t.Errorf("at once: %d", n)
	}
	p.Advance(2 * time.Second)
	if n := total(); n != 1 {
		t.Errorf("later: %d", n)
	}
}

func TestSearchTakesFiveASecondAndSaysNothingOfLimits(t *testing.T) {
	t.Parallel()
	p := start(t, hubspottest.Options{})
	for range 5 {
		a := p.postAs(p.ServiceKey(), searchPath, emailSearch("x@example.com")) // the limit is the account's
		if a.status != 200 {
			t.Fatalf("%d %s", a.status, a.body)
		}
		for name := range a.header {
			if strings.Contains(strings.ToLower(name), "ratelimit") {
				t.Error(name)
			}
		}
	}
	refused(t, p.post(searchPath, emailSearch("x@example.com")), 429, `"policyName":"SECONDLY"`, "You have reached your secondly limit.")
	p.Advance(time.Second)
	if a := p.post(searchPath, emailSearch("x@example.com")); a.status != 200 {
		t.Errorf("a second later: %d", a.status)
	}
}

func TestSearchIsPaged(t *testing.T) {
	t.Parallel()
	p := start(t, hubspottest.Options{SearchLag: -1})
	for i := range 3 {
		p.Add(hubspottest.Contacts, contact(strconv.Itoa(i)+"@example.com", "plan", "gold"))
	}
	body := filterSearch("plan", "EQ", "gold")
	first := decoded[many](t, p.post(searchPath, body), 200)
	if first.Total != 3 || len(first.Results) != 2 || first.Paging == nil || first.Paging.Next.After != "2" {
		t.Fatalf("%+v", first)
	}
	second := decoded[many](t, p.post(searchPath, strings.TrimSuffix(body, "}")+`,"after":"2"}`), 200)
	if len(second.Results) != 1 || second.Paging != nil {
		t.Errorf("%+v", second)
	}
}

func TestSearchRefusesWhatIsTooMuch(t *testing.T) {
	t.Parallel()
	p := start(t, hubspottest.Options{SearchLag: -1})
	filter := `{"propertyName":"email","operator":"EQ","value":"x"},`
	group := func(n int) string { return `{"filters":[` + strings.TrimSuffix(strings.Repeat(filter, n), ",") + `]},` }
	for name, body := range map[string]string{
		"page":        `{"limit":201}`,
		"reach":       `{"limit":100,"after":"9901"}`,
		"groups":      `{"filterGroups":[` + strings.TrimSuffix(strings.Repeat(group(1), 6), ",") + `]}`,
		"in a group":  `{"filterGroups":[` + strings.TrimSuffix(group(7), ",") + `]}`,
		"all filters": `{"filterGroups":[` + strings.TrimSuffix(strings.Repeat(group(5), 4), ",") + `]}`,
	} {
		p.Advance(time.Second)
		if a := p.post(searchPath, body); a.status != 400 || !strings.Contains(a.body, "VALIDATION_ERROR") {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
	}
	p.Advance(time.Second)
	if a := p.post(searchPath, `{"limit":100,"after":"9900"}`); a.status != 200 {
		t.Errorf("the last page: %d", a.status)
	}
}

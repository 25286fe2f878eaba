package hubspottest

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// object is a record as the API shows it; keys of the properties are sorted [obs].
type object struct {
	ID           string                    `json:"id"`
	Properties   map[string]*string        `json:"properties"`
	CreatedAt    string                    `json:"createdAt"`
	UpdatedAt    string                    `json:"updatedAt"`
	Archived     bool                      `json:"archived"`
	URL          string                    `json:"url,omitempty"`
	Associations map[string]associationsOf `json:"associations,omitempty"`
}

type associationsOf struct {
	Results []associated `json:"results"`
}

type associated struct {
	ID   string `json:"id"`
	Type string `json:"type"`
}

// defaults are shown when nobody says which properties are wanted [doc].
var defaults = map[string][]string{
	Contacts:  {"email", "firstname", "lastname"},
	Companies: {"domain", "name"},
	Deals:     {"amount", "closedate", "dealname", "dealstage", "pipeline"},
	Tickets:   {"subject", "content", "hs_pipeline", "hs_pipeline_stage", "hs_ticket_priority"},
}

// instant writes a time as HubSpot does: with three digits of a second, or none when they are zero [obs].
func instant(t time.Time) string {
	t = t.UTC().Truncate(time.Millisecond)
	if t.Nanosecond() == 0 {
		return t.Format("2006-01-02T15:04:05Z")
	}
	return t.Format("2006-01-02T15:04:05.000Z")
}

// show gives a record with the wanted properties. What is defined and has no value is null; what nobody defined is
// absent; three properties are always there [doc] [obs].
func (w *world) show(kind string, o *stored, wanted []string) object {
	if len(wanted) == 0 {
		wanted = defaults[kind]
	}
	modified := "hs_lastmodifieddate"
	if kind == Contacts {
		modified = "lastmodifieddate"
	}
	properties := map[string]*string{}
	for _, name := range wanted {
		if !w.defined(kind, name) {
			continue
		}
		properties[name] = nil
		if v, ok := o.Properties[name]; ok {
			properties[name] = &v
		}
	}
	for name, v := range map[string]string{"createdate": instant(o.created), "hs_object_id": o.ID, modified: instant(o.changed)} {
		if own, ok := o.Properties[name]; ok {
			v = own
		}
		properties[name] = &v
	}
	return object{ID: o.ID, Properties: properties, CreatedAt: instant(o.created), UpdatedAt: instant(o.changed), Archived: o.Archived}
}

// objectKind reads the type of a path, by name or number.
func objectKind(w http.ResponseWriter, r *http.Request) (string, bool) {
	name := r.PathValue("type")
	if kind, ok := typeNumbers[name]; ok {
		return kind, true
	}
	if _, ok := defaults[name]; !ok {
		noSuchType(w, name)
		return "", false
	}
	return name, true
}

func (s *Server) readOne(w http.ResponseWriter, r *http.Request, _ []byte) {
	kind, ok := objectKind(w, r)
	if !ok {
		return
	}
	q, id := r.URL.Query(), r.PathValue("id")
	var o *stored
	switch idProperty := q.Get("idProperty"); {
	case idProperty == "email" && kind == Contacts:
		if found := s.world.byEmail(id); len(found) > 0 {
			o = found[0]
		}
	case idProperty != "":
		invalid(w, idProperty+" is not a unique property")
		return
	default:
		if _, err := strconv.ParseInt(id, 10, 64); err != nil {
			notNumeric(w, id)
			return
		}
		o = s.world.find(kind, id)
	}
	if o == nil || o.Archived != (q.Get("archived") == "true") {
		noSuchRecord(w)
		return
	}
	var wanted []string
	if p := q.Get("properties"); p != "" {
		wanted = strings.Split(p, ",")
	}
	shown := s.world.show(kind, o, wanted)
	shown.URL = "https://" + s.world.account.UIDomain + "/contacts/" + strconv.FormatInt(s.world.account.PortalID, 10) + "/record/0-1/" + o.ID
	shown.Associations = s.world.associationsShown(kind, o.ID, strings.Split(q.Get("associations"), ","))
	write(w, http.StatusOK, shown)
}

// maxInputs is how many records one batch asks for [doc].
const maxInputs = 100

func (s *Server) readBatch(w http.ResponseWriter, r *http.Request, body []byte) {
	kind, ok := objectKind(w, r)
	if !ok {
		return
	}
	var asked struct {
		IDProperty string                `json:"idProperty"`
		Inputs     []struct{ ID string } `json:"inputs"`
		Properties []string              `json:"properties"`
		History    []string              `json:"propertiesWithHistory"`
	}
	if err := json.Unmarshal(body, &asked); err != nil {
		badJSON(w, body, err)
		return
	}
	switch {
	case asked.Inputs == nil || asked.Properties == nil || asked.History == nil: // all three are required [spec]
		invalid(w, "Some required fields were not set: [inputs, properties, propertiesWithHistory]")
		return
	case len(asked.Inputs) > maxInputs:
		invalid(w, "The maximum number of inputs is 100")
		return
	case asked.IDProperty != "" && (asked.IDProperty != "email" || kind != Contacts):
		invalid(w, asked.IDProperty+" is not a unique property")
		return
	}
	results, missing := []object{}, []string{}
	seen := map[string]bool{}
	for _, in := range asked.Inputs {
		o := s.world.find(kind, in.ID)
		if asked.IDProperty == "email" {
			o = nil
			if found := s.world.byEmail(in.ID); len(found) > 0 {
				o = found[0]
			}
		}
		switch archived := r.URL.Query().Get("archived") == "true"; {
		case o == nil || o.Archived != archived:
			missing = append(missing, in.ID)
		case !seen[o.ID]: // two inputs of one record give it once [obs]
			seen[o.ID] = true
			results = append(results, s.world.show(kind, o, asked.Properties))
		}
	}
	s.batch(w, kind, results, missing)
}

// batch answers 200, or 207 when records are missing: one error for all of them [obs].
func (s *Server) batch(w http.ResponseWriter, kind string, results []object, missing []string) {
	now := instant(s.now())
	answer := map[string]any{"status": "COMPLETE", "results": results, "startedAt": now, "completedAt": now}
	status := http.StatusOK
	if len(missing) > 0 {
		status = http.StatusMultiStatus
		one := strings.ToUpper(strings.TrimSuffix(kind, "s"))
		if kind == Companies {
			one = "COMPANY"
		}
		answer["numErrors"] = 1
		answer["errors"] = []map[string]any{{
			"status": "error", "category": "OBJECT_NOT_FOUND", "context": map[string][]string{"ids": missing},
			"message": "Could not get some " + one + " objects, they may be deleted or not exist. Check that ids are valid.",
		}}
	}
	write(w, status, answer)
}

// filterGroup holds when all of its filters do.
type filterGroup struct {
	Filters []filter `json:"filters"`
}

type filter struct {
	PropertyName string `json:"propertyName"`
	Operator     string `json:"operator"`
	Value        string `json:"value"`
}

// searchable reports whether the groups are within the limits [doc] and ask for equality, the one operator that the
// emulator has; to leave another one out in silence would find too much or too little.
func searchable(groups []filterGroup) bool {
	all := 0
	for _, g := range groups {
		other := slices.ContainsFunc(g.Filters, func(f filter) bool { return f.Operator != "EQ" })
		if other || len(g.Filters) > 6 {
			return false
		}
		all += len(g.Filters)
	}
	return len(groups) <= 5 && all <= 18
}

func (s *Server) search(w http.ResponseWriter, r *http.Request, body []byte) {
	kind, ok := objectKind(w, r)
	if !ok {
		return
	}
	var asked struct {
		FilterGroups []filterGroup `json:"filterGroups"`
		Properties   []string      `json:"properties"`
		Limit        int           `json:"limit"`
		After        string        `json:"after"`
	}
	if err := json.Unmarshal(body, &asked); err != nil {
		badJSON(w, body, err)
		return
	}
	after, _ := strconv.Atoi(asked.After)
	if asked.Limit == 0 {
		asked.Limit = 10
	}
	if !searchable(asked.FilterGroups) || asked.Limit > 200 || after+asked.Limit > 10_000 { // [doc]
		invalid(w, "There was a problem with the request.")
		return
	}
	var hits []*stored
	for _, o := range s.world.objects[kind] {
		fits := func(g filterGroup) bool {
			return !slices.ContainsFunc(g.Filters, func(f filter) bool {
				return !s.world.equal(kind, o, f.PropertyName, f.Value)
			})
		}
		fresh := s.options.SearchLag > 0 && s.now().Sub(o.changed) < s.options.SearchLag
		if !o.Archived && !fresh && slices.ContainsFunc(asked.FilterGroups, fits) {
			hits = append(hits, o)
		}
	}
	results := []object{}
	for _, o := range hits[min(after, len(hits)):min(after+asked.Limit, len(hits))] {
		results = append(results, s.world.show(kind, o, asked.Properties))
	}
	answer := map[string]any{"total": len(hits), "results": results}
	if after+asked.Limit < len(hits) {
		answer["paging"] = map[string]any{"next": map[string]string{"after": strconv.Itoa(after + asked.Limit)}}
	}
	write(w, http.StatusOK, answer)
}

// equal is the operator EQ: whatever the case [doc], and for email also by secondary addresses [obs].
func (w *world) equal(kind string, o *stored, property, value string) bool {
	if kind == Contacts && property == "email" {
		return slices.Contains(w.byEmail(value), o)
	}
	return strings.EqualFold(o.Properties[property], value)
}

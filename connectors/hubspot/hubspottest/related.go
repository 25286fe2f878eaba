package hubspottest

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
)

// association leads from one record to another. Types are numbers that HubSpot defines [obs].
type association struct {
	to    string
	types []associationType
}

type associationType struct {
	Category string  `json:"category"`
	TypeID   int     `json:"typeId"`
	Label    *string `json:"label"`
	name     string
}

// The numbers [obs].
var associationNumbers = map[string]int{Companies: 279, Deals: 4, Tickets: 15}

const primaryCompany = 1

// Associate connects a contact with a company, deal or ticket. A primary company is associated twice, and the
// contact's associatedcompanyid is set [obs].
func (s *Server) Associate(contact, kind, to string, primary bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := association{to: to}
	one := map[string]string{Companies: "company", Deals: "deal", Tickets: "ticket"}[kind]
	if primary {
		label := "Primary"
		a.types = append(a.types, associationType{Category: "HUBSPOT_DEFINED", TypeID: primaryCompany, Label: &label, name: "contact_to_" + one})
		if o := s.world.find(Contacts, contact); o != nil {
			o.Properties["associatedcompanyid"] = to
		}
	}
	plain := associationType{Category: "HUBSPOT_DEFINED", TypeID: associationNumbers[kind], name: "contact_to_" + one}
	if kind == Companies {
		plain.name += "_unlabeled"
	}
	a.types = append(a.types, plain)
	key := Contacts + "/" + contact + "/" + kind
	s.world.associations[key] = append(s.world.associations[key], a)
}

// associationsShown lists a record's associations beside it: one entry for each type, so that a primary company comes
// twice [obs]. Kinds without any are absent [obs].
func (w *world) associationsShown(kind, id string, to []string) map[string]associationsOf {
	all := map[string]associationsOf{}
	for _, other := range to {
		var list []associated
		for _, a := range w.associations[kind+"/"+id+"/"+other] {
			for _, t := range a.types {
				list = append(list, associated{ID: a.to, Type: t.name})
			}
		}
		if list != nil {
			all[other] = associationsOf{list}
		}
	}
	return all
}

// associationResult is one of a list. toObjectId is a text in 2026-09 [spec].
type associationResult struct {
	To    string            `json:"toObjectId"`
	Types []associationType `json:"associationTypes"`
}

func (w *world) associationResults(kind, id, to string) []associationResult {
	results := []associationResult{}
	for _, a := range w.associations[kind+"/"+id+"/"+to] {
		results = append(results, associationResult{a.to, a.types})
	}
	return results
}

func (s *Server) associationsOfOne(w http.ResponseWriter, r *http.Request, _ []byte) {
	if kind, ok := objectKind(w, r); ok {
		write(w, http.StatusOK, map[string]any{"results": s.world.associationResults(kind, r.PathValue("id"), r.PathValue("to"))})
	}
}

func (s *Server) associationsOfMany(w http.ResponseWriter, r *http.Request, body []byte) {
	kind, ok := objectKind(w, r)
	if !ok {
		return
	}
	var asked struct {
		Inputs []struct{ ID string } `json:"inputs"`
	}
	if err := json.Unmarshal(body, &asked); err != nil {
		badJSON(w, body, err)
		return
	}
	if asked.Inputs == nil || len(asked.Inputs) > 1000 {
		invalid(w, "The number of inputs is not between 1 and 1000")
		return
	}
	results := []map[string]any{}
	for _, in := range asked.Inputs {
		if to := s.world.associationResults(kind, in.ID, r.PathValue("to")); len(to) > 0 {
			results = append(results, map[string]any{"from": map[string]string{"id": in.ID}, "to": to})
		}
	}
	now := instant(s.now())
	write(w, http.StatusOK, map[string]any{"status": "COMPLETE", "results": results, "startedAt": now, "completedAt": now})
}

// properties are not paged [spec].
func (s *Server) properties(w http.ResponseWriter, r *http.Request, _ []byte) {
	if kind, ok := objectKind(w, r); ok {
		write(w, http.StatusOK, map[string]any{"results": s.world.schemas[kind]})
	}
}

func (s *Server) pipelines(w http.ResponseWriter, r *http.Request, _ []byte) {
	if kind, ok := objectKind(w, r); ok {
		write(w, http.StatusOK, map[string]any{"results": append([]Pipeline{}, s.world.pipelines[kind]...)})
	}
}

// owners are paged by 100 [spec].
func (s *Server) owners(w http.ResponseWriter, r *http.Request, _ []byte) {
	limit, err := strconv.Atoi(r.URL.Query().Get("limit"))
	if err != nil || limit < 1 || limit > 500 {
		limit = 100
	}
	after, _ := strconv.Atoi(r.URL.Query().Get("after"))
	archived := r.URL.Query().Get("archived") == "true"
	all := slices.DeleteFunc(slices.Clone(s.world.owners), func(o Owner) bool { return o.Archived != archived })
	end := min(after+limit, len(all))
	answer := map[string]any{"results": append([]Owner{}, all[min(after, len(all)):end]...)}
	if end < len(all) {
		answer["paging"] = map[string]any{"next": map[string]string{"after": strconv.Itoa(end)}}
	}
	write(w, http.StatusOK, answer)
}

func (s *Server) owner(w http.ResponseWriter, r *http.Request, _ []byte) {
	for _, o := range s.world.owners {
		if o.ID == r.PathValue("id") {
			write(w, http.StatusOK, o)
			return
		}
	}
	noSuchRecord(w)
}

func (s *Server) account(w http.ResponseWriter, _ *http.Request, _ []byte) {
	write(w, http.StatusOK, s.world.account)
}

func (s *Server) usage(w http.ResponseWriter, _ *http.Request, _ []byte) {
	write(w, http.StatusOK, map[string]any{"results": []map[string]any{{"name": "private-apps-api-calls-daily", "currentUsage": s.world.today.calls}}})
}

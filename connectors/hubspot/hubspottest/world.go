package hubspottest

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Record is a contact, company, deal or ticket. A property that is defined and not here is null.
type Record struct {
	ID         string // empty = the next number
	Properties map[string]string
	Archived   bool
}

// Property is the definition of a property, with the members that HubSpot requires and those that change what an
// answer means [spec].
type Property struct {
	Name                 string   `json:"name"`
	Label                string   `json:"label"`
	Type                 string   `json:"type"`
	FieldType            string   `json:"fieldType"`
	Description          string   `json:"description"`
	GroupName            string   `json:"groupName"`
	Options              []Option `json:"options"`
	Hidden               bool     `json:"hidden"`
	Calculated           bool     `json:"calculated"`
	ExternalOptions      bool     `json:"externalOptions"`
	HasUniqueValue       bool     `json:"hasUniqueValue"`
	HubSpotDefined       bool     `json:"hubspotDefined"`
	ReferencedObjectType string   `json:"referencedObjectType,omitempty"`
	ShowCurrencySymbol   bool     `json:"showCurrencySymbol,omitempty"`
}

// Option is one value of an enumeration.
type Option struct {
	Label  string `json:"label"`
	Value  string `json:"value"`
	Hidden bool   `json:"hidden"`
}

// Owner is somebody of the tenant's team.
type Owner struct {
	ID        string `json:"id"`
	Email     string `json:"email"`
	FirstName string `json:"firstName"`
	LastName  string `json:"lastName"`
	Type      string `json:"type"` // PERSON or QUEUE
	Archived  bool   `json:"archived"`
}

// Pipeline has the stages of deals or tickets.
type Pipeline struct {
	ID     string  `json:"id"`
	Label  string  `json:"label"`
	Stages []Stage `json:"stages"`
}

// Stage is one of them.
type Stage struct {
	ID       string            `json:"id"`
	Label    string            `json:"label"`
	Metadata map[string]string `json:"metadata"`
}

// Account is the tenant's account, as account-info shows it [spec].
type Account struct {
	PortalID        int64  `json:"portalId"`
	AccountType     string `json:"accountType"`
	TimeZone        string `json:"timeZone"`
	CompanyCurrency string `json:"companyCurrency"`
	UTCOffset       string `json:"utcOffset"`
	UIDomain        string `json:"uiDomain"`
	DataLocation    string `json:"dataHostingLocation"`
}

// The object types.
const (
	Contacts  = "contacts"
	Companies = "companies"
	Deals     = "deals"
	Tickets   = "tickets"
)

// typeNumbers name the types in paths, too [spec].
var typeNumbers = map[string]string{"0-1": Contacts, "0-2": Companies, "0-3": Deals, "0-5": Tickets}

// stored is a record with what HubSpot adds.
type stored struct {
	Record
	created, changed time.Time
}

type world struct {
	account      Account
	objects      map[string][]*stored
	schemas      map[string][]Property
	pipelines    map[string][]Pipeline
	owners       []Owner
	associations map[string][]association // by "contacts/512/companies"
	searches     counter
	today        day
}

func newWorld() world {
	w := world{
		account: Account{
			PortalID: 62515, AccountType: "STANDARD", TimeZone: "US/Eastern", CompanyCurrency: "USD", UTCOffset: "-05:00",
			UIDomain: "app.hubspot.com", DataLocation: "na1",
		},
		objects: map[string][]*stored{}, pipelines: map[string][]Pipeline{}, associations: map[string][]association{},
	}
	w.schemas = defaultSchemas()
	return w
}

func (w *world) find(kind, id string) *stored {
	for _, o := range w.objects[kind] {
		if o.ID == id {
			return o
		}
	}
	return nil
}

// byEmail finds contacts by primary or secondary address, whatever the case; the primary ones first [obs].
func (w *world) byEmail(email string) (all []*stored) {
	email = strings.ToLower(strings.TrimSpace(email))
	for _, primary := range []bool{true, false} {
		for _, o := range w.objects[Contacts] {
			addresses := []string{o.Properties["email"]}
			if !primary {
				addresses = strings.Split(o.Properties["hs_additional_emails"], ";")
			}
			if slices.ContainsFunc(addresses, func(a string) bool { return strings.ToLower(strings.TrimSpace(a)) == email && a != "" }) {
				all = append(all, o)
			}
		}
	}
	return all
}

func (w *world) defined(kind, property string) bool {
	return slices.ContainsFunc(w.schemas[kind], func(p Property) bool { return p.Name == property })
}

// Add puts a record into the emulator and gives its id. Properties that nobody defined become texts.
func (s *Server) Add(kind string, r Record) (id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.serial++
	r.ID = cmp.Or(r.ID, strconv.Itoa(500+s.serial))
	for name := range r.Properties {
		if !s.world.defined(kind, name) {
			s.world.schemas[kind] = append(s.world.schemas[kind], text(name, name))
		}
	}
	now := s.now()
	if old := s.world.find(kind, r.ID); old != nil {
		old.Record, old.changed = r, now
		return r.ID
	}
	s.world.objects[kind] = append(s.world.objects[kind], &stored{Record: r, created: now, changed: now})
	return r.ID
}

// Define adds or replaces the definition of a property.
func (s *Server) Define(kind string, p Property) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.world.schemas[kind] = slices.DeleteFunc(s.world.schemas[kind], func(old Property) bool { return old.Name == p.Name })
	s.world.schemas[kind] = append(s.world.schemas[kind], p)
}

// Undefine removes the definition of a property, and with it the values.
func (s *Server) Undefine(kind, name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.world.schemas[kind] = slices.DeleteFunc(s.world.schemas[kind], func(p Property) bool { return p.Name == name })
}

// AddOwner adds an owner.
func (s *Server) AddOwner(o Owner) {
	s.mu.Lock()
	defer s.mu.Unlock()
	o.Type = cmp.Or(o.Type, "PERSON")
	s.world.owners = append(s.world.owners, o)
}

// AddPipeline adds a pipeline of deals or tickets.
func (s *Server) AddPipeline(kind string, p Pipeline) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.world.pipelines[kind] = append(s.world.pipelines[kind], p)
}

// SetAccount replaces the account.
func (s *Server) SetAccount(a Account) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.world.account = a
}

// State gives all records, for comparing before and after.
func (s *Server) State() map[string][]Record {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := map[string][]Record{}
	for kind, objects := range s.world.objects {
		for _, o := range objects {
			all[kind] = append(all[kind], o.Record)
		}
	}
	return all
}

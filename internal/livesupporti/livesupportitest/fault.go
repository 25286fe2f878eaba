package livesupportitest

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
)

// Route is what a Fault applies to.
type Route string

// The routes.
const (
	RouteDetails       Route = "details"       // POST /api/visitors/{id}/details
	RouteAgents        Route = "agents"        // GET /api/agents
	RouteNotifications Route = "notifications" // what the server itself sends
)

// Mode is what a Fault does.
type Mode string

// The modes of RouteDetails and RouteAgents.
const (
	// ModeStatus answers Fault.Status at once and processes nothing.
	ModeStatus Mode = "status"
	// ModeRedirect answers Fault.Status, 307 by default, with Fault.Location.
	ModeRedirect Mode = "redirect"
	// ModeHang answers nothing until the client gives up or the server heals.
	ModeHang Mode = "hang"
	// ModeResetBefore resets the connection and processes nothing.
	ModeResetBefore Mode = "reset-before"
	// ModeResetAfter processes the request and then resets the connection.
	ModeResetAfter Mode = "reset-after"
	// ModeDrip processes the request, answers 200 and sends a byte of the
	// answer each second.
	ModeDrip Mode = "drip"
	// ModeGarbage processes the request and answers 200 with rubbish.
	ModeGarbage Mode = "garbage"
	// ModeFlood processes the request and answers 200 with 1 GiB.
	ModeFlood Mode = "flood"
)

// The modes of RouteNotifications.
const (
	// ModeDuplicate sends the notification twice at the same time.
	ModeDuplicate Mode = "duplicate"
	// ModeWrongSignature signs with another secret.
	ModeWrongSignature Mode = "wrong-signature"
	// ModeUnsigned leaves the signature out.
	ModeUnsigned Mode = "unsigned"
)

// Fault is something that the server does wrong on command.
type Fault struct {
	Route Route `json:"route"`
	Mode  Mode  `json:"mode"`
	// Status is for ModeStatus and ModeRedirect.
	Status int `json:"status,omitempty"`
	// RetryAfter is sent as it is with ModeStatus, so that it may be nonsense.
	RetryAfter string `json:"retry_after,omitempty"`
	// Location is for ModeRedirect.
	Location string `json:"location,omitempty"`
	// Count is how many requests it hits before it ends by itself; 0 means no
	// end.
	Count int `json:"count,omitempty"`
	// Percent is which share of the requests it hits, evenly spread, beginning
	// late; 0 means all.
	Percent int `json:"percent,omitempty"`
	// Account limits it to one account, by id or e-mail; "" means all.
	Account string `json:"account,omitempty"`

	seen int // how many requests it might have hit
}

// Misbehave adds a fault. When several fit a request, the oldest one hits it.
func (s *Server) Misbehave(f Fault) error {
	if f.Mode == ModeRedirect && f.Status == 0 {
		f.Status = http.StatusTemporaryRedirect
	}
	if err := f.check(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if f.Account != "" {
		account, err := s.account(f.Account)
		if err != nil {
			return err
		}
		f.Account = account.ID
	}
	f.seen = 0
	s.faults = append(s.faults, &f)
	s.publishSetup()
	return nil
}

// Heal ends all faults and lets go of the requests that hang.
func (s *Server) Heal() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = nil
	close(s.healed)
	s.healed = make(chan struct{})
	s.publishSetup()
}

// Faults returns the faults that have not ended, oldest first. Count is what is
// left of it.
func (s *Server) Faults() []Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.faultList()
}

func (s *Server) faultList() []Fault {
	faults := make([]Fault, len(s.faults))
	for i, fault := range s.faults {
		faults[i] = *fault
	}
	return faults
}

// takeFault returns the fault that hits this request to the API, if any. A
// fault limited to an account looks at the user name that was sent.
func (s *Server) takeFault(route Route, r *http.Request) (Fault, bool) {
	email, _, _ := r.BasicAuth()
	s.mu.Lock()
	defer s.mu.Unlock()
	accountID := ""
	if account := s.accountByEmail(email); account != nil {
		accountID = account.ID
	}
	return s.hit(route, accountID)
}

func (s *Server) takeNotificationFault(accountID string) Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	fault, _ := s.hit(RouteNotifications, accountID)
	return fault
}

func (s *Server) hit(route Route, accountID string) (Fault, bool) {
	for i, fault := range s.faults {
		if fault.Route != route || fault.Account != "" && fault.Account != accountID || !fault.due() {
			continue
		}
		taken := *fault
		if fault.Count > 0 {
			fault.Count--
			if fault.Count == 0 {
				s.faults = slices.Delete(s.faults, i, i+1)
			}
			s.publishSetup()
		}
		return taken, true
	}
	return Fault{}, false
}

// due counts a request and says whether it is one of the Percent: of any 100 in
// a row exactly that many are.
func (f *Fault) due() bool {
	if f.Percent == 0 {
		return true
	}
	before := f.seen * f.Percent / 100
	f.seen++
	return f.seen*f.Percent/100 > before
}

// early says whether a mode leaves the request unprocessed.
func (m Mode) early() bool {
	switch m {
	case ModeStatus, ModeRedirect, ModeHang, ModeResetBefore:
		return true
	default:
		return false
	}
}

// describe words a fault for the page and the ledger; "" for none.
func (f Fault) describe() string {
	switch f.Mode {
	case "":
		return ""
	case ModeStatus:
		return "Played: " + statusText(f.Status) + "."
	case ModeRedirect:
		return "Played: redirect to " + f.Location + "."
	case ModeHang:
		return "Played: no answer."
	case ModeResetBefore:
		return "Played: connection reset before the request was read."
	case ModeResetAfter:
		return "Played: connection reset after the request was processed."
	case ModeDrip:
		return "Played: an answer that comes byte by byte."
	case ModeGarbage:
		return "Played: an answer full of rubbish."
	case ModeFlood:
		return "Played: an answer without end."
	case ModeDuplicate:
		return "Played: sent twice."
	case ModeWrongSignature:
		return "Played: signed with another secret."
	default:
		return "Played: sent without a signature."
	}
}

func (f Fault) check() error {
	modes := map[Route][]Mode{
		RouteDetails:       {ModeStatus, ModeRedirect, ModeHang, ModeResetBefore, ModeResetAfter, ModeDrip, ModeGarbage, ModeFlood},
		RouteAgents:        {ModeStatus, ModeRedirect, ModeHang, ModeResetBefore, ModeResetAfter, ModeDrip, ModeGarbage, ModeFlood},
		RouteNotifications: {ModeDuplicate, ModeWrongSignature, ModeUnsigned},
	}
	known, ok := modes[f.Route]
	switch {
	case !ok:
		return fmt.Errorf("there is no route %q", f.Route)
	case !slices.Contains(known, f.Mode):
		return fmt.Errorf("%s cannot misbehave by %q", f.Route, f.Mode)
	case f.Mode == ModeStatus && (f.Status < 200 || f.Status > 599):
		return errors.New("a status from 200 to 599 is needed")
	case f.Mode == ModeRedirect && (f.Status < 300 || f.Status > 399 || f.Location == ""):
		return errors.New("a redirect needs a location and a status from 300 to 399")
	case f.Count < 0 || f.Percent < 0 || f.Percent > 100:
		return errors.New("the count must not be negative and the percentage not above 100")
	}
	return nil
}

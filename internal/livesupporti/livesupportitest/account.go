package livesupportitest

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"strings"
)

// Account is a LiveSupporti customer: the e-mail and API key that its owner
// would put into Sidecard, and its agents.
type Account struct {
	// ID is a GUID. Server.AddAccount derives it from the e-mail when it is
	// empty, so that it stays the same over restarts.
	ID string `json:"id"`
	// Email is the sign-in address, the user name of HTTP Basic credentials.
	Email string `json:"email"`
	// APIKey is the key from the profile page, the password.
	APIKey string `json:"api_key"`
	// Agents take the account's chats; the first one by default. When there
	// are none the account gets two.
	Agents []Agent `json:"agents"`
}

// Agent is a person who chats with visitors.
type Agent struct {
	ID   string `json:"Id"`
	Name string `json:"Name"`
}

// AddAccount creates an account with two agents and returns its id, a GUID that
// follows from the e-mail. An account that exists gets the new API key.
func (s *Server) AddAccount(email, apiKey string) (accountID string) {
	account := s.addAccount(Account{Email: email, APIKey: apiKey})
	return account.ID
}

func (s *Server) addAccount(account Account) Account {
	if account.ID == "" {
		account.ID = accountGUID(account.Email)
	}
	if len(account.Agents) == 0 {
		account.Agents = []Agent{{ID: "150", Name: "Tomás Novák"}, {ID: "151", Name: "Ingrid Solberg"}}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if known := s.accountByEmail(account.Email); known != nil {
		known.APIKey = account.APIKey
		account = *known
	} else {
		kept := account
		s.accounts = append(s.accounts, &kept)
	}
	s.journal.write(record{Account: &account})
	s.publishSetup()
	return account
}

// Accounts returns all accounts in the order of their creation.
func (s *Server) Accounts() []Account {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.accountList()
}

func (s *Server) accountList() []Account {
	list := make([]Account, len(s.accounts))
	for i, account := range s.accounts {
		list[i] = *account
	}
	return list
}

var (
	errNoAccount     = errors.New("there is no such account")
	errWhichAccount  = errors.New("there are several accounts: say which")
	errNoAccountsYet = errors.New("there is no account yet")
)

// account finds an account by id or e-mail; "" is the only one there is. The
// caller holds the lock.
func (s *Server) account(idOrEmail string) (*Account, error) {
	if idOrEmail == "" {
		switch len(s.accounts) {
		case 0:
			return nil, errNoAccountsYet
		case 1:
			return s.accounts[0], nil
		default:
			return nil, errWhichAccount
		}
	}
	for _, account := range s.accounts {
		if account.ID == idOrEmail {
			return account, nil
		}
	}
	if account := s.accountByEmail(idOrEmail); account != nil {
		return account, nil
	}
	return nil, errNoAccount
}

func (s *Server) accountByEmail(email string) *Account {
	for _, account := range s.accounts {
		if strings.EqualFold(account.Email, email) {
			return account
		}
	}
	return nil
}

// authenticate finds the account of a request's Basic credentials.
func (s *Server) authenticate(r *http.Request) (Account, bool) {
	email, key, ok := r.BasicAuth()
	if !ok {
		return Account{}, false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	account := s.accountByEmail(email)
	if account == nil || account.APIKey != key {
		return Account{}, false
	}
	return *account, true
}

// serveAgents is GET /api/agents.
func (s *Server) serveAgents(w http.ResponseWriter, r *http.Request) {
	fault, _ := s.takeFault(RouteAgents, r)
	if s.actBefore(w, r, fault) {
		return
	}
	account, ok := s.authenticate(r)
	if s.actAfter(w, r, fault) {
		return
	}
	if !ok {
		refuse(w, http.StatusUnauthorized, reasonCredentials)
		return
	}
	writeJSON(w, http.StatusOK, account.Agents)
}

// accountGUID makes a GUID (RFC 9562, version 8) out of an e-mail.
func accountGUID(email string) string {
	sum := sha256.Sum256([]byte("livesupporti account " + strings.ToLower(email)))
	sum[6] = sum[6]&0x0f | 0x80
	sum[8] = sum[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", sum[0:4], sum[4:6], sum[6:8], sum[8:10], sum[10:16])
}

package livesupportitest

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"

	"sidecard/internal/livesupporti"
)

// maxRecord is the longest line of a state file that is read.
const maxRecord = 1 << 20

// journal is the state file: one JSON record a line, the latest of its kind and
// id counts. A nil journal writes nothing.
type journal struct {
	file *os.File
	err  error // the first that happened; nothing is written after it
}

// record is one line; exactly one of its first four members is set.
type record struct {
	Account *Account    `json:"account,omitempty"`
	WebHook *WebHook    `json:"webhook,omitempty"`
	Removed string      `json:"removed,omitempty"`
	Chat    *storedChat `json:"chat,omitempty"`
	Secret  string      `json:"secret,omitempty"` // of WebHook
}

// storedChat is a chat with the ids as they were announced.
type storedChat struct {
	Chat
	Account   livesupporti.Scalar `json:"announced_account"`
	Agent     livesupporti.Scalar `json:"announced_agent"`
	VisitorID livesupporti.Scalar `json:"announced_visitor"`
}

// Remember recalls the accounts, WebHooks and chats that the file holds, and
// from then on keeps them there, in the clear and readable for the owner only.
// The file is created when it is missing and tidied when it is not. Call it
// once, before the Server is used. Notifications that were still to be repeated
// are not recalled: ASP.NET's sender forgets them too.
func (s *Server) Remember(path string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.recall(path); err != nil {
		return fmt.Errorf("recall %s: %w", path, err)
	}
	fresh := path + ".new"
	file, err := os.OpenFile(fresh, os.O_CREATE|os.O_TRUNC|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	kept := &journal{file: file}
	for _, account := range s.accounts {
		kept.write(record{Account: account})
	}
	for _, hook := range s.hooks {
		kept.write(record{WebHook: hook, Secret: hook.Secret})
	}
	for _, c := range s.recent.last(s.opts.KeepChats) {
		if last := len(c.Notices) - 1; last >= 0 && c.Notices[last].Outcome == NoticeAgain {
			c.Notices[last].Outcome = NoticeDropped
		}
		kept.write(c.record())
	}
	if err := errors.Join(kept.err, os.Rename(fresh, path)); err != nil {
		file.Close()
		return err
	}
	s.journal = kept
	return nil
}

func (c *chat) record() record {
	return record{Chat: &storedChat{Chat: c.Chat, Account: c.account, Agent: c.agent, VisitorID: c.visitor}}
}

// recall reads the file into the server. A last line that was cut off, by a
// crash, is ignored.
func (s *Server) recall(path string) error {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if end := bytes.LastIndexByte(text, '\n'); end >= 0 {
		text = text[:end]
	} else {
		text = nil
	}
	lines := bufio.NewScanner(bytes.NewReader(text))
	lines.Buffer(nil, maxRecord)
	for n := 1; lines.Scan(); n++ {
		var r record
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			return fmt.Errorf("line %d is damaged", n)
		}
		s.apply(r)
	}
	return lines.Err()
}

func (s *Server) apply(r record) {
	switch {
	case r.Account != nil:
		if known := s.accountByEmail(r.Account.Email); known != nil {
			*known = *r.Account
			return
		}
		s.accounts = append(s.accounts, r.Account)
	case r.WebHook != nil:
		r.WebHook.Secret = r.Secret
		s.hooks = slices.DeleteFunc(s.hooks, func(h *WebHook) bool { return h.ID == r.WebHook.ID })
		s.hooks = append(s.hooks, r.WebHook)
	case r.Removed != "":
		s.hooks = slices.DeleteFunc(s.hooks, func(h *WebHook) bool { return h.ID == r.Removed })
	case r.Chat != nil:
		if known := s.chats[r.Chat.ID]; known != nil {
			known.Chat = r.Chat.Chat
			return
		}
		if n, err := strconv.Atoi(strings.TrimPrefix(r.Chat.ID, "chat-")); err == nil {
			s.sequence = max(s.sequence, n)
		}
		s.keepChat(&chat{Chat: r.Chat.Chat, account: r.Chat.Account, agent: r.Chat.Agent, visitor: r.Chat.VisitorID})
	}
}

func (j *journal) write(r record) {
	if j == nil || j.err != nil {
		return
	}
	line, err := json.Marshal(r)
	if err == nil {
		_, err = j.file.Write(append(line, '\n'))
	}
	j.err = err
}

func (j *journal) close() {
	if j != nil {
		j.file.Close()
	}
}

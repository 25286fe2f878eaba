package hubspottest

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// rememberedGrant is a consent in the file.
type rememberedGrant struct {
	Client  string   `json:"client"`
	Refresh string   `json:"refresh"`
	Scopes  []string `json:"scopes"`
}

// Remember keeps consents in a file from now on, and takes those over that are in it: who starts the emulator again
// need not connect again. Access tokens and records are not kept.
func (s *Server) Remember(path string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.file = path
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	var kept []rememberedGrant
	if err == nil {
		err = json.Unmarshal(text, &kept)
	}
	if err != nil {
		return fmt.Errorf("consents of the emulated HubSpot: %w", err)
	}
	for _, g := range kept {
		s.grants[g.Refresh] = &grant{client: g.Client, refresh: g.Refresh, scopes: g.Scopes, counter: &counter{}}
	}
	return nil
}

// keep writes the consents that last. The caller holds mu.
func (s *Server) keep() {
	if s.file == "" {
		return
	}
	kept := []rememberedGrant{}
	for _, g := range s.grants {
		if !g.revoked {
			kept = append(kept, rememberedGrant{g.client, g.refresh, g.scopes})
		}
	}
	text, err := json.Marshal(kept)
	if err == nil {
		err = os.WriteFile(s.file, text, 0o600)
	}
	if err != nil {
		panic(err) // plain data, and a folder that was there a moment ago
	}
}

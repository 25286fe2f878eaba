package app

import (
	"slices"
	"testing"
)

func TestOwnServersAreReadFromTheirURLs(t *testing.T) {
	t.Parallel()
	got := ownServers(
		"postgres://app:secret@db.internal/sidecard", "postgresql://owner:secret@10.0.0.7:6432/sidecard",
		"rediss://:secret@[fd00::7]", "", "::not a url", "smtp://u:secret@mail.internal", "smtps://mail.internal?x",
	)
	want := []string{"db.internal:5432", "10.0.0.7:6432", "[fd00::7]:6379", "mail.internal:587", "mail.internal:465"}
	if !slices.Equal(got, want) {
		t.Errorf("own servers are %v, want %v", got, want)
	}
}

package hub

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"

	"sidecard/connectors"
)

// maxNoted bounds the text of one value in the audit log, in characters.
const maxNoted = 500

// notedConnection is a connection as the audit log shows it: its open settings, and the names of its secrets.
func notedConnection(c Connection) map[string]any {
	noted := map[string]any{"kind": c.Kind, "settings": notedSettings(c)}
	if len(c.SecretNames) > 0 {
		noted["secrets"] = c.SecretNames
	}
	return noted
}

func notedSettings(c Connection) map[string]any {
	var raw map[string]json.RawMessage
	if json.Unmarshal(c.Settings, &raw) != nil {
		return nil // they are an object: this cannot fail
	}
	noted := make(map[string]any, len(raw))
	for name, value := range raw {
		noted[name] = notedValue(value)
	}
	return noted
}

func notedValue(value json.RawMessage) any {
	if len(value) > maxNoted {
		return truncate(string(value), maxNoted)
	}
	return value
}

// changedConnection notes what an update changed: the name, open settings by their names, and that secrets were
// given.
func (e *AuditEntry) changedConnection(was, is Connection, given connectors.Settings) {
	e.about(is.ID, is.Name)
	e.changed("name", was.Name, is.Name)
	var before, after map[string]json.RawMessage
	if json.Unmarshal(was.Settings, &before) != nil || json.Unmarshal(is.Settings, &after) != nil {
		return
	}
	for _, name := range slices.Sorted(maps.Keys(after)) {
		if old, there := before[name]; !there {
			e.note("settings."+name, nil, notedValue(after[name]))
		} else if !bytes.Equal(old, after[name]) {
			e.note("settings."+name, notedValue(old), notedValue(after[name]))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(before)) {
		if _, there := after[name]; !there {
			e.note("settings."+name, notedValue(before[name]), nil)
		}
	}
	for _, name := range is.SecretNames {
		if _, now := given[name]; now {
			e.changedSecret("settings."+name, slices.Contains(was.SecretNames, name))
		}
	}
	for _, name := range was.SecretNames {
		if !slices.Contains(is.SecretNames, name) {
			e.changed("settings."+name, "set", "not set")
		}
	}
}

// labelsOf is a card as the audit log shows it: what its lines are called. The card's versions hold the rest.
func labelsOf(lines []Line) map[string]any {
	labels := make([]string, len(lines))
	for i, l := range lines {
		labels[i] = l.Label
	}
	return map[string]any{"lines": labels}
}

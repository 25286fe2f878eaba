package connectortest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"

	"sidecard/connectors"
)

// settingsOfOldOpen brings settings of every version up to the one of today and opens them.
func settingsOfOldOpen(ctx context.Context, h Harness) error {
	fixtures := h.Fixtures
	if fixtures == nil {
		fixtures = os.DirFS(filepath.Join(h.directory(), "testdata", "settings"))
	}
	version := h.Connector.Spec().Version
	var broken []error
	for v := 1; v <= version; v++ {
		if err := h.fixtureOpens(ctx, fixtures, v); err != nil {
			broken = append(broken, fmt.Errorf("settings of version %d: %w", v, err))
		}
	}
	files, err := fs.Glob(fixtures, "v*.json")
	if err == nil && len(files) > version {
		err = fmt.Errorf("%d files of settings for %d versions", len(files), version)
	}
	return errors.Join(append(broken, err)...)
}

func (h Harness) fixtureOpens(ctx context.Context, fixtures fs.FS, version int) error {
	settings, err := readFixture(fixtures, version)
	if err != nil {
		return err
	}
	for from := version; from < h.Connector.Spec().Version; from++ {
		upgrader, ok := h.Connector.(connectors.Upgrader)
		if !ok {
			return errors.New("the connector is no Upgrader")
		}
		next, err := upgrader.Upgrade(from, settings)
		if err != nil {
			return fmt.Errorf("upgrade from %d: %w", from, err)
		}
		again, err := readFixture(fixtures, version)
		if err == nil && from == version && !reflect.DeepEqual(again, settings) {
			return fmt.Errorf("upgrading from %d has changed what it was given", from)
		}
		settings = next
	}
	validate, err := h.validator()
	if err != nil {
		return err
	}
	if err := validate(settings); err != nil {
		return fmt.Errorf("they do not fit the schema of today: %w", err)
	}
	src, _, err := h.open(ctx, settings, closed)
	if err != nil {
		return err
	}
	return src.Close()
}

func readFixture(fixtures fs.FS, version int) (connectors.Settings, error) {
	name := fmt.Sprintf("v%d.json", version)
	raw, err := fs.ReadFile(fixtures, name)
	if err != nil {
		return nil, fmt.Errorf("keep %s in testdata/settings, with every setting that matters: %w", name, err)
	}
	var s connectors.Settings
	if err := json.Unmarshal(raw, &s); err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	return s, nil
}
